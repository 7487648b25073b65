// split_axis and merge_axes: an axis becomes two, two neighbours become one. The same bytes: the planner shares the
// buffer. There is no free reshape, so that what an axis means (heads, positions) is never lost.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x [..., n, ...] of any dtype → [..., n / inner, inner, ...], where n is the size of `axis`.
class SplitAxis final : public Op {
 public:
  SplitAxis(int axis, int64_t inner) : axis(axis), inner(inner) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
  const int axis;
  const int64_t inner;
};

// x [..., a, b, ...] of any dtype → [..., a * b, ...], where a is the size of `axis`.
class MergeAxes final : public Op {
 public:
  explicit MergeAxes(int axis) : axis(axis) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
  const int axis;
};

}  // namespace hearth
