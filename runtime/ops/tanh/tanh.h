// tanh: y = tanh(x), and its backward from y. With two scales it caps logits: c tanh(x / c).
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x f32 → y like x.
class Tanh final : public Op {
 public:
  HEARTH_OP_RULES;
};

// (y, dy) → dx = dy (1 - y²).
class TanhBackward final : public Op {
 public:
  HEARTH_OP_RULES;
};

}  // namespace hearth
