// swiglu: y = silu(gate) * up in one pass, and its backward.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// gate, up of one shape → y.
class Swiglu final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 1}; }
};

// (gate, up, dy) → (dgate, dup).
class SwigluBackward final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 1, 2}; }
};

}  // namespace hearth
