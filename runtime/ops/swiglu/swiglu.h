// swiglu: y = silu(gate) * up in one pass, and its backward.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// gate, up f32 of one shape → y.
class Swiglu final : public Op {
 public:
  HEARTH_OP_RULES;
};

// (gate, up, dy) → (dgate, dup).
class SwigluBackward final : public Op {
 public:
  HEARTH_OP_RULES;
};

}  // namespace hearth
