// Which names of files inside a model are accepted. Names of models: model_names.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth::store {

// A file's name inside a model: relative, UTF-8, '/'-separated, no empty, "." or ".." part, no control character or
// backslash, at most 8 parts of 255 bytes and 1024 bytes in all.
Result<void> check_file_name(std::string_view name);
// As above for a whole set, which may hold no name twice and no name that is also the folder of another.
Result<void> check_file_names(const std::vector<std::string>& names);

}  // namespace hearth::store
