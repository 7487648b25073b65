// silu: y = x * sigmoid(x), and its backward.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x → y like x.
class Silu final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
};

// (x, dy) → dx.
class SiluBackward final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 1}; }
};

}  // namespace hearth
