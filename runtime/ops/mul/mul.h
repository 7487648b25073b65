// mul: y = a * b; b may be one row that every row of a is multiplied by.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// a [..., C], b like a or [C] f32 → y like a.
class Mul final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<int> activations(Types inputs) const override {
    return inputs[0].shape == inputs[1].shape ? std::vector{0, 1} : std::vector{0};
  }
};

}  // namespace hearth
