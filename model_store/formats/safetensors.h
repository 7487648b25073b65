// safetensors: one file, or several with an index. Reading maps; nothing is copied and every field is untrusted.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model_store/formats/tensor_file.h"

namespace hearth {

// `path`: a .safetensors file, a .safetensors.index.json, or a folder that holds model.safetensors or
// model.safetensors.index.json (else its only .safetensors file).
Result<TensorFile> open_safetensors(const std::filesystem::path& path);

// One file from memory, which `keeper` keeps alive.
Result<TensorFile> parse_safetensors(std::span<const std::byte> bytes, std::shared_ptr<const void> keeper);

// The files that open_safetensors(path) would map: the index first if there is one.
Result<std::vector<std::filesystem::path>> list_safetensors(const std::filesystem::path& path);

struct TensorToWrite {
  std::string name;
  Dtype dtype;                 // f32, f16, bf16 or i32
  std::vector<int64_t> shape;  // outermost first
  // Row-major bytes, valid until the next tensor is asked for: only one converted tensor is in memory at a time.
  std::function<Result<std::span<const std::byte>>()> bytes;
  std::function<Result<void>(const ByteSink&)> stream = {};  // instead of `bytes`: in pieces
};

// One file, atomically and durably. `metadata` becomes __metadata__ ({"format", "pt"} is what other readers expect).
Result<void> write_safetensors(const std::filesystem::path& path, std::vector<TensorToWrite> tensors,
                               const std::vector<std::pair<std::string, std::string>>& metadata = {{"format", "pt"}});

// model.safetensors, or shards of at most max_shard_bytes with model.safetensors.index.json, into an existing folder.
// keep_finished: a file that is there in the right size is left alone (an export that was interrupted goes on).
Result<void> write_safetensors_folder(const std::filesystem::path& folder, std::vector<TensorToWrite> tensors,
                                      uint64_t max_shard_bytes = uint64_t{4} << 30, bool keep_finished = false);

}  // namespace hearth
