// Shape, type and owned storage.
#include "runtime/tensor/tensor.h"

#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "runtime/tensor/panels.h"

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
  const std::string out = dtype_info(dtype).name + shape.to_string();
  return layout == Layout::row_major ? out : out + " in panels of " + std::to_string(panel_rows(layout));
}

int64_t TensorType::panels_bytes() const {
  const int64_t at_once = panel_rows(layout);
  return (shape.n_rows() + at_once - 1) / at_once * at_once * row_bytes();
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
  if (view.type.layout != Layout::row_major) return to_f32(unpack_panels(view).view());
  Tensor out(TensorType{Dtype::f32, view.type.shape});
  to_float(view.type.dtype, view.data, out.f32(), view.type.shape.n_elements());
  return out;
}

}  // namespace hearth
