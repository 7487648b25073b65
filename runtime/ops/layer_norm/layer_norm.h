// layer_norm: y[t,c] = (x[t,c] - mean) * w[c] / sqrt(variance + eps) + b[c], and its backward.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x [T, C], w [C] f32, b [C] f32 → y like x. Mean and variance are of each row.
class LayerNorm final : public Op {
 public:
  explicit LayerNorm(float eps) : eps(eps) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
  const float eps;
};

// (x [T, C], w [C] f32, dy [T, C]) → (dx like x, dw [C] f32). The gradient of b is the sum of dy over rows.
class LayerNormBackward final : public Op {
 public:
  explicit LayerNormBackward(float eps) : eps(eps) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 2}; }
  const float eps;
};

}  // namespace hearth
