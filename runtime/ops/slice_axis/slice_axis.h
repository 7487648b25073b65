// slice_axis: a range of one axis; pad_axis, its gradient, puts it back among zeros.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x [..., size, ...] f32, bf16 or i32 → [..., n, ...]: elements begin to begin + n of `axis`.
class SliceAxis final : public Op {
 public:
  SliceAxis(int axis, int64_t begin, int64_t n) : axis(axis), begin(begin), n(n) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types inputs) const override {
    return inputs[0].dtype == Dtype::i32 ? std::vector<int>{} : std::vector{0};
  }
  const int axis;
  const int64_t begin, n;
};

// x [..., n, ...] f32 or bf16 → [..., size, ...]: x at begin of `axis`; the others are zero.
class PadAxis final : public Op {
 public:
  PadAxis(int axis, int64_t begin, int64_t size) : axis(axis), begin(begin), size(size) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
  const int axis;
  const int64_t begin, size;
};

// A tensor as rows of the axis with what lies behind it: rows are copied as they are.
struct AxisRows {
  int64_t n_rows, width, inner;  // width: elements of a row; inner: of one index of the axis
};
inline AxisRows axis_rows(const Shape& shape, int axis) {
  AxisRows rows{1, 1, 1};
  for (int i = 0; i < axis; ++i) rows.n_rows *= shape[i];
  for (int i = axis + 1; i < shape.rank(); ++i) rows.inner *= shape[i];
  rows.width = shape[axis] * rows.inner;
  return rows;
}

}  // namespace hearth
