// safetensors writer: header first, then the tensors one at a time.
#include <algorithm>

#include "base/json.h"
#include "model_store/formats/file_writer.h"
#include "model_store/formats/safetensors.h"

namespace hearth {
namespace {

std::vector<std::pair<std::string, std::string>> usual_metadata() {
  return {{"format", "pt"}};
}

uint64_t bytes_of(const TensorToWrite& tensor) {
  int64_t n = 1;
  for (int64_t dimension : tensor.shape) n *= dimension;
  return static_cast<uint64_t>(dtype_bytes(tensor.dtype, n));
}

// Wide numbers first, then by name: every tensor is aligned to its own width.
void order(std::vector<TensorToWrite>& tensors) {
  std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) {
    int wide_a = dtype_info(a.dtype).block_bytes, wide_b = dtype_info(b.dtype).block_bytes;
    return wide_a != wide_b ? wide_a > wide_b : a.name < b.name;
  });
}

std::string header_of(const std::vector<TensorToWrite>& tensors,
                      const std::vector<std::pair<std::string, std::string>>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  for (const auto& [key, value] : metadata) header["__metadata__"][key] = value;
  std::string text = header.dump();
  text.pop_back();  // the closing brace
  uint64_t offset = 0;
  // Appended as text: a lookup of each name among the others would be quadratic.
  for (const auto& tensor : tensors) {
    uint64_t end = offset + bytes_of(tensor);
    nlohmann::ordered_json entry = {
        {"dtype", dtype_info(tensor.dtype).safetensors}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    if (text.size() > 1) text += ',';
    text += Json(tensor.name).dump() + ":" + entry.dump();
    offset = end;
  }
  text += '}';
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

// A file gets its name when it is complete, so the size says whether it is this one.
bool is_finished(const std::filesystem::path& path, std::vector<TensorToWrite>& tensors) {
  order(tensors);
  uint64_t n_bytes = 8 + header_of(tensors, usual_metadata()).size();
  for (const auto& tensor : tensors) n_bytes += bytes_of(tensor);
  std::error_code ec;
  return std::filesystem::file_size(path, ec) == n_bytes && !ec;
}

std::string shard_name(size_t index, size_t n_shards) {
  return fmt::format("model-{:05}-of-{:05}.safetensors", index + 1, n_shards);
}

}  // namespace

Result<void> write_safetensors(const std::filesystem::path& path, std::vector<TensorToWrite> tensors,
                               const std::vector<std::pair<std::string, std::string>>& metadata) {
  order(tensors);
  for (const auto& tensor : tensors)
    if (!dtype_info(tensor.dtype).safetensors)
      return error(Code::invalid_argument, "safetensors cannot hold {} (tensor \"{}\"); use GGUF",
                   dtype_info(tensor.dtype).name, tensor.name);
  std::string header = header_of(tensors, metadata);
  FileWriter file = TRY(FileWriter::create(path));
  uint64_t n_header_bytes = header.size();
  TRY(file.write(std::as_bytes(std::span(&n_header_bytes, 1))));
  TRY(file.write(header));
  for (const auto& tensor : tensors) {
    TRY(write_tensor(file, tensor, bytes_of(tensor)));
  }
  return file.finish();
}

Result<void> write_safetensors_folder(const std::filesystem::path& folder, std::vector<TensorToWrite> tensors,
                                      uint64_t max_shard_bytes, bool keep_finished) {
  std::vector<std::vector<TensorToWrite>> shards(1);
  uint64_t in_shard = 0, total = 0;
  for (auto& tensor : tensors) {
    uint64_t n_bytes = bytes_of(tensor);
    if (!shards.back().empty() && in_shard + n_bytes > max_shard_bytes) {
      shards.emplace_back();
      in_shard = 0;
    }
    in_shard += n_bytes;
    total += n_bytes;
    shards.back().push_back(std::move(tensor));
  }
  auto write_shard = [&](const std::string& name, std::vector<TensorToWrite>& shard) -> Result<void> {
    if (keep_finished && is_finished(folder / name, shard)) return {};
    return write_safetensors(folder / name, std::move(shard));
  };
  if (shards.size() == 1) return write_shard("model.safetensors", shards[0]);
  Json weight_map = Json::object();
  for (size_t i = 0; i < shards.size(); ++i) {
    for (const auto& tensor : shards[i]) weight_map[tensor.name] = shard_name(i, shards.size());
    TRY(write_shard(shard_name(i, shards.size()), shards[i]));
  }
  Json index = {{"metadata", {{"total_size", total}}}, {"weight_map", std::move(weight_map)}};
  return write_file(folder / "model.safetensors.index.json", dump_json(index, 2) + "\n");
}

}  // namespace hearth
