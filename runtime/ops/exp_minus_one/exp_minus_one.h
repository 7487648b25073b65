// exp_minus_one: y = e^x - 1, exact for small x: ratios of probabilities and divergences.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x f32 → y like x.
class ExpMinusOne final : public Op {
 public:
  HEARTH_OP_RULES;
};

}  // namespace hearth
