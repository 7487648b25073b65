// tanh: y = tanh(x), and its backward from y. With two scales it caps logits: c tanh(x / c).
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x → y like x.
class Tanh final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
};

// (y, dy) → dx = dy (1 - y²).
class TanhBackward final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 1}; }
};

}  // namespace hearth
