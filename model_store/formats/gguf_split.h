// GGUF models in several files: NAME-00001-of-00003.gguf and its siblings. The first has the metadata, every part its
// own tensors.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth {

constexpr int kMaxGgufParts = 4096;

struct GgufPartName {
  std::string model;  // what comes before "-00001-of-00003.gguf"
  int index = 0;      // from 0
  int count = 1;
};
std::optional<GgufPartName> parse_gguf_part_name(std::string_view file_name);
std::string gguf_part_name(std::string_view model, int index, int count);

// All parts of the model that `path` is one of, in order; just `path` where its name is not that of a part. A part that
// is missing is an error that names it.
Result<std::vector<std::filesystem::path>> gguf_parts(const std::filesystem::path& path);

// A folder's .gguf files as models: the first part of each split one, and each whole one. Sorted.
std::vector<std::filesystem::path> gguf_models_in(const std::filesystem::path& folder);

}  // namespace hearth
