// silu: y = x * sigmoid(x), and its backward.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x f32 → y like x.
class Silu final : public Op {
 public:
  HEARTH_OP_RULES;
};

// (x, dy) → dx.
class SiluBackward final : public Op {
 public:
  HEARTH_OP_RULES;
};

}  // namespace hearth
