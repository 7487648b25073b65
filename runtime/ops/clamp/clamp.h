// clamp: y = x within bounds, and its backward.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x f32 → y like x: low where x is less, high where it is more. A bound may be infinite.
class Clamp final : public Op {
 public:
  Clamp(float low, float high) : low(low), high(high) {}
  HEARTH_OP_RULES;
  const float low, high;
};

// (x, dy) → dx = dy where low <= x <= high, else 0.
class ClampBackward final : public Op {
 public:
  ClampBackward(float low, float high) : low(low), high(high) {}
  HEARTH_OP_RULES;
  const float low, high;
};

}  // namespace hearth
