// swiglu: y = silu(gate) * up in one pass, and its backward. Fused: unfused() is mul(silu(gate), up).
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// gate, up f32 of one shape → y.
class Swiglu final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<Value> unfused(Builder& b, std::span<const Value> inputs) const override;
};

// (gate, up, dy) → (dgate, dup).
class SwigluBackward final : public Op {
 public:
  HEARTH_OP_RULES;
};

}  // namespace hearth
