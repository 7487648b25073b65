// scale: y = factor * x.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x f32 → y like x.
class Scale final : public Op {
 public:
  explicit Scale(float factor) : factor(factor) {}
  HEARTH_OP_RULES;
  const float factor;
};

}  // namespace hearth
