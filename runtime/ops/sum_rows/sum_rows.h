// sum_rows: the sum over all rows (the gradient of a bias).
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x [..., C] f32 → y [C]; rows are added in order.
class SumRows final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
};

}  // namespace hearth
