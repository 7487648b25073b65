// l2_norm: rows of unit length times a constant, and its backward. With scale = sqrt(C) and eps = C times its epsilon
// it is the RMS norm without a weight.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x [..., C] → y like x: y = scale * x / sqrt(Σ_c x² + eps).
class L2Norm final : public Op {
 public:
  L2Norm(float eps, float scale) : eps(eps), scale(scale) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
  const float eps, scale;
};

// (x, dy) → dx.
class L2NormBackward final : public Op {
 public:
  L2NormBackward(float eps, float scale) : eps(eps), scale(scale) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 1}; }
  const float eps, scale;
};

}  // namespace hearth
