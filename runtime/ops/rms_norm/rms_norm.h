// rms_norm: y[t,c] = x[t,c] * w[c] / sqrt(mean_c(x²) + eps), and its backward.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x [..., C], w [C] f32 → y like x. Without w: as with ones.
class RmsNorm final : public Op {
 public:
  explicit RmsNorm(float eps) : eps(eps) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
  const float eps;
};

// (x [..., C], w [C] f32, dy [..., C]) → (dx [..., C] like x, dw [C] f32); without w: (x, dy) → dx.
class RmsNormBackward final : public Op {
 public:
  explicit RmsNormBackward(float eps) : eps(eps) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types inputs) const override { return {0, static_cast<int>(inputs.size()) - 1}; }
  const float eps;
};

}  // namespace hearth
