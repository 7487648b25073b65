// scale_by_position: rows grow slowly with their position; queries of models that were trained for long contexts so.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x [T, ...], positions [T] i32 → y[t, c] = x[t, c] * (1 + beta * ln(1 + floor(positions[t] / period))). Linear in
// x: its gradient is the same op.
class ScaleByPosition final : public Op {
 public:
  ScaleByPosition(float beta, int period) : beta(beta), period(period) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
  float factor(int32_t position) const;
  const float beta;
  const int period;
};

}  // namespace hearth
