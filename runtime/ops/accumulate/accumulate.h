// accumulate: adds to a state, such as the gradients of several micro-batches.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// sum, x f32 of one shape, keep [1] f32 → the next version of sum: sum + x, or x alone where keep is 0.
class Accumulate final : public Op {
 public:
  HEARTH_OP_RULES;
  int version_of(int) const override { return 0; }
};

}  // namespace hearth
