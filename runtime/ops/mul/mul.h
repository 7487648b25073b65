// mul: y = a * b; b may be one row that every row of a is multiplied by.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// a [..., C] f32, b same shape or [C] f32 → y like a.
class Mul final : public Op {
 public:
  HEARTH_OP_RULES;
};

}  // namespace hearth
