// gelu: y = x Φ(x) by the error function, or its tanh approximation, and its backward.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x → y like x.
class Gelu final : public Op {
 public:
  explicit Gelu(bool tanh) : tanh(tanh) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
  const bool tanh;
};

// (x, dy) → dx.
class GeluBackward final : public Op {
 public:
  explicit GeluBackward(bool tanh) : tanh(tanh) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 1}; }
  const bool tanh;
};

}  // namespace hearth
