// mul: y = a * b, same shape.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// a, b f32 of one shape → y.
class Mul final : public Op {
 public:
  HEARTH_OP_RULES;
};

}  // namespace hearth
