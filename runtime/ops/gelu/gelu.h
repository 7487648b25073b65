// gelu: y = x Φ(x) by the error function, or its tanh approximation, and its backward.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x f32 → y like x.
class Gelu final : public Op {
 public:
  explicit Gelu(bool tanh) : tanh(tanh) {}
  HEARTH_OP_RULES;
  const bool tanh;
};

// (x, dy) → dx.
class GeluBackward final : public Op {
 public:
  explicit GeluBackward(bool tanh) : tanh(tanh) {}
  HEARTH_OP_RULES;
  const bool tanh;
};

}  // namespace hearth
