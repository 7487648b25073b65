// Which names from outside are accepted: of models, and of files inside a model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth::store {

// A model's name is part of socket paths, URLs and tags: [A-Za-z0-9][A-Za-z0-9._-]*, at most 64 bytes.
Result<void> check_model_name(std::string_view name);
// The nearest valid model name to any text; "model" when nothing is left.
std::string make_model_name(std::string_view text);

// A file's name inside a model: relative, UTF-8, '/'-separated, no empty, "." or ".." part, no control character or
// backslash, at most 8 parts of 255 bytes and 1024 bytes in all.
Result<void> check_file_name(std::string_view name);
// As above for a whole set, which may hold no name twice and no name that is also the folder of another.
Result<void> check_file_names(const std::vector<std::string>& names);

}  // namespace hearth::store
