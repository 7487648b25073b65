// scale_rows: every row times its own number; row_dots: the product of two rows as a number. Each is the other's
// gradient.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x [T, C], s [T, 1] → y like x: y[t] = s[t] x[t].
class ScaleRows final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 1}; }
};

// a, b [T, C] → s [T, 1]: s[t] = Σ_c a[t, c] b[t, c].
class RowDots final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 1}; }
};

}  // namespace hearth
