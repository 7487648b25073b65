// Shape, type and owned storage.
#include "runtime/tensor/tensor.h"

#include <cstdlib>
#include <cstring>

#include "base/check.h"

namespace hearth {

Shape::Shape(std::initializer_list<int64_t> dims) {
  for (int64_t dim : dims) append(dim);
}

void Shape::append(int64_t dim) {
  CHECK(rank_ < kMaxRank && dim >= 0);
  dims_[rank_++] = dim;
}

int64_t Shape::n_elements() const {
  int64_t n = 1;
  for (int i = 0; i < rank_; ++i) n *= dims_[i];
  return n;
}

std::string Shape::to_string() const {
  std::string out = "[";
  for (int i = 0; i < rank_; ++i) out += (i ? ", " : "") + std::to_string(dims_[i]);
  return out + "]";
}

std::string TensorType::to_string() const {
  return dtype_info(dtype).name + shape.to_string();
}

void Tensor::Free::operator()(void* p) const {
  std::free(p);
}

Tensor::Tensor(TensorType type) : type_(type) {
  const size_t bytes = (static_cast<size_t>(type.bytes()) + 63) / 64 * 64;
  if (bytes == 0) return;
  data_.reset(std::aligned_alloc(64, bytes));
  CHECK(data_ != nullptr);
  std::memset(data_.get(), 0, bytes);
}

Tensor to_f32(const TensorView& view) {
  Tensor out(TensorType{Dtype::f32, view.type.shape});
  to_float(view.type.dtype, view.data, out.f32(), view.type.shape.n_elements());
  return out;
}

}  // namespace hearth
