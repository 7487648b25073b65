// TensorFile: the tensors of one or more mapped files, by name.
#include "model_store/formats/tensor_file.h"

#include <algorithm>

#include "model_store/formats/byte_reader.h"

namespace hearth {

uint64_t StoredTensor::n_elements() const {
  uint64_t n = 1;
  for (int64_t dimension : shape) n *= static_cast<uint64_t>(dimension);
  return n;
}

Result<uint64_t> count_elements(std::span<const int64_t> shape) {
  uint64_t n = 1;
  for (int64_t dimension : shape) {
    if (dimension < 0 || !checked_multiply(n, static_cast<uint64_t>(dimension), &n) || n > uint64_t{1} << 62)
      return error(Code::data_loss, "the product of its dimensions is larger than a tensor can be");
  }
  return n;
}

Result<TensorFile> TensorFile::assemble(std::vector<StoredTensor> tensors, std::shared_ptr<const void> keeper,
                                        uint64_t size_bytes) {
  std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  auto twice =
      std::adjacent_find(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) { return a.name == b.name; });
  if (twice != tensors.end()) return error(Code::data_loss, "two tensors are called \"{}\"", twice->name);
  TensorFile out;
  out.tensors_ = std::move(tensors);
  out.keeper_ = std::move(keeper);
  out.size_bytes_ = size_bytes;
  return out;
}

const StoredTensor* TensorFile::find(std::string_view name) const {
  auto it = std::lower_bound(tensors_.begin(), tensors_.end(), name,
                             [](const auto& t, std::string_view n) { return t.name < n; });
  return it != tensors_.end() && it->name == name ? &*it : nullptr;
}

Result<const StoredTensor*> TensorFile::require(std::string_view name) const {
  if (const StoredTensor* tensor = find(name)) return tensor;
  return error(Code::not_found, "the model has no tensor \"{}\"", name);
}

}  // namespace hearth
