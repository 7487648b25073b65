// layer_norm: y[t,c] = (x[t,c] - mean) * w[c] / sqrt(variance + eps) + b[c], and its backward.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x [T, C] f32, w [C] f32, b [C] f32 → y [T, C] f32. Mean and variance are of each row.
class LayerNorm final : public Op {
 public:
  explicit LayerNorm(float eps) : eps(eps) {}
  HEARTH_OP_RULES;
  const float eps;
};

// (x [T, C], w [C], dy [T, C]) → (dx [T, C], dw [C]). The gradient of b is the sum of dy over rows.
class LayerNormBackward final : public Op {
 public:
  explicit LayerNormBackward(float eps) : eps(eps) {}
  HEARTH_OP_RULES;
  const float eps;
};

}  // namespace hearth
