// Boxes: row by row.
#include "runtime/tensor/box.h"

#include <cstring>

#include "base/check.h"

namespace hearth {
namespace {

// The bytes at an index of a row-major tensor.
std::byte* at(const TensorView& view, const std::array<int64_t, kMaxRank>& index) {
  int64_t element = 0;
  for (int i = 0; i < view.shape().rank(); ++i) element = element * view.dim(i) + index[static_cast<size_t>(i)];
  return view.as<std::byte>() + dtype_bytes(view.type.dtype, element);
}

}  // namespace

Box Box::whole(const Shape& shape) {
  Box box;
  for (int i = 0; i < shape.rank(); ++i) box.size[static_cast<size_t>(i)] = shape[i];
  return box;
}

Box Box::range(int axis, int64_t from, int64_t to) const {
  Box box = *this;
  box.begin[static_cast<size_t>(axis)] = from;
  box.size[static_cast<size_t>(axis)] = to - from;
  return box;
}

int64_t Box::n_elements(int rank) const {
  int64_t n = 1;
  for (int i = 0; i < rank; ++i) n *= size[static_cast<size_t>(i)];
  return n;
}

void copy_box(const TensorView& from, const Box& box, const TensorView& to,
              const std::array<int64_t, kMaxRank>& to_begin) {
  CHECK(from.type.dtype == to.type.dtype && from.shape().rank() == to.shape().rank());
  const int rank = from.shape().rank();
  if (box.n_elements(rank) == 0) return;
  const auto last = static_cast<size_t>(rank - 1);
  const auto row_bytes = static_cast<size_t>(dtype_bytes(from.type.dtype, box.size[last]));
  const int64_t n_rows = box.n_elements(rank) / box.size[last];
  for (int64_t row = 0; row < n_rows; ++row) {
    std::array<int64_t, kMaxRank> source = box.begin, target = to_begin;
    int64_t rest = row;
    for (size_t i = last; i-- > 0;) {
      source[i] += rest % box.size[i];
      target[i] += rest % box.size[i];
      rest /= box.size[i];
    }
    std::memcpy(at(to, target), at(from, source), row_bytes);
  }
}

}  // namespace hearth
