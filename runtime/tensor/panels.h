// Panels: R rows of block-quantised weights side by side. A block is cut into units, as its codec reads it: a scale of
// two bytes, packed levels four bytes at a time, small scales one by one. A panel holds for each block along the rows,
// for each unit of it, that unit of row 0, 1, ... R-1. So a vector of R lanes reads one piece of R rows at once, and
// what lay at byte n of a block lies at byte n * R. The bytes are those of the rows in another order.
#pragma once

#include "runtime/tensor/tensor.h"

namespace hearth {

bool has_panels(Dtype dtype);

// Panels [begin, end) of `panels` out of `rows`: row-major, of the same dtype and shape. Rows past the last are zero
// bytes, which stand for zeros.
void pack_panels(const TensorView& rows, const TensorView& panels, int64_t begin, int64_t end);
inline int64_t n_panels(const TensorType& type) {
  const int at_once = panel_rows(type.layout);
  return (type.shape.n_rows() + at_once - 1) / at_once;
}

// The same in row-major order.
Tensor unpack_panels(const TensorView& panels);

}  // namespace hearth
