// scale: y = factor * x.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x → y like x.
class Scale final : public Op {
 public:
  explicit Scale(float factor) : factor(factor) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
  const float factor;
};

}  // namespace hearth
