// rms_norm: y[t,c] = x[t,c] * w[c] / sqrt(mean_c(x²) + eps), and its backward.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x [..., C] f32, w [C] f32 → y like x. Without w: as with ones.
class RmsNorm final : public Op {
 public:
  explicit RmsNorm(float eps) : eps(eps) {}
  HEARTH_OP_RULES;
  const float eps;
};

// (x [..., C], w [C], dy [..., C]) → (dx [..., C], dw [C]); without w: (x, dy) → dx.
class RmsNormBackward final : public Op {
 public:
  explicit RmsNormBackward(float eps) : eps(eps) {}
  HEARTH_OP_RULES;
  const float eps;
};

}  // namespace hearth
