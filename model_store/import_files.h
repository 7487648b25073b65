// Which files of a folder, or beside a file, make up a model. Only names and sizes; nothing is interpreted here but the
// shard index, so that a half-downloaded folder is told apart from a whole one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace hearth::store {

struct ImportFile {
  std::string name;            // in the store
  std::filesystem::path path;  // on disk
  uint64_t size_bytes = 0;
};

// Sorted by name. A folder must hold safetensors weights with a config.json (or adapter_config.json), or one .gguf (all
// parts of it, where it is split).
Result<std::vector<ImportFile>> find_import_files(const std::filesystem::path& path);

}  // namespace hearth::store
