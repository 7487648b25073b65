// Gathering parts, reading scales.
#include "model_store/formats/quantised/parts.h"

#include <algorithm>

#include "runtime/tensor/scalar.h"

namespace hearth::quantised {

std::vector<std::string> Gatherer::with_ending(std::string_view ending) const {
  std::vector<std::string> out;
  for (const StoredTensor& tensor : stored_.tensors())
    if (tensor.name.ends_with(ending)) out.push_back(tensor.name.substr(0, tensor.name.size() - ending.size()));
  return out;
}

const StoredTensor* Gatherer::take(const std::string& name) {
  const StoredTensor* tensor = stored_.find(name);
  if (tensor) taken_.insert(name);
  return tensor;
}

Result<const StoredTensor*> Gatherer::take_required(const std::string& name) {
  if (const StoredTensor* tensor = take(name)) return tensor;
  return error(Code::not_found, "the quantised model has no tensor \"{}\", which its other parts need", name);
}

void Gatherer::add(const std::string& name, Dtype dtype, std::vector<int64_t> shape, Decode decode) {
  StoredTensor& tensor = found_.emplace_back();
  tensor.name = name;
  tensor.format_dtype = dtype_info(dtype).name;
  tensor.dtype = dtype;
  tensor.shape = std::move(shape);
  tensor.decode = std::move(decode);
}

void Gatherer::add_outputs_first(const std::string& name, Dtype dtype, std::vector<int64_t> shape, Decode decode) {
  add(name, dtype, std::move(shape), std::move(decode));
  found_.back().rows_are_outputs = true;
}

Result<TensorFile> Gatherer::finish() {
  for (const StoredTensor& tensor : stored_.tensors())
    if (!taken_.contains(tensor.name)) found_.push_back(tensor);
  return TensorFile::assemble(std::move(found_), stored_.keeper(), stored_.size_bytes());
}

Result<Scales> Scales::of(const StoredTensor& tensor) {
  TRY(require_dtype(tensor, {"F32", "F16", "BF16"}));
  Scales out;
  out.data_ = tensor.bytes.data();
  out.dtype_ = *tensor.dtype;
  out.n_ = static_cast<int64_t>(tensor.n_elements());
  out.width_ = dtype_info(*tensor.dtype).block_bytes;
  return out;
}

bool Scales::are_halves() const {
  if (dtype_ == Dtype::f16) return true;
  for (int64_t i = 0; i < n_; ++i)
    if (f16_to_float(float_to_f16((*this)[i])) != (*this)[i]) return false;
  return true;
}

Result<void> require_dtype(const StoredTensor& tensor, std::initializer_list<std::string_view> allowed) {
  if (std::find(allowed.begin(), allowed.end(), tensor.format_dtype) != allowed.end()) return {};
  return error(Code::unimplemented, "tensor \"{}\" must be {}, it is {}", tensor.name, fmt::join(allowed, " or "),
               tensor.format_dtype);
}

Result<void> require_shape(const StoredTensor& tensor, const std::vector<int64_t>& shape) {
  if (tensor.shape == shape) return {};
  return error(Code::data_loss, "tensor \"{}\" must have the shape [{}], it has [{}]", tensor.name,
               fmt::join(shape, ", "), fmt::join(tensor.shape, ", "));
}

}  // namespace hearth::quantised
