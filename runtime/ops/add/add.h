// add: y = a + b; b may be one row that is added to every row of a (a bias).
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// a [..., C] f32, b same shape or [C] f32 → y like a.
class Add final : public Op {
 public:
  HEARTH_OP_RULES;
};

}  // namespace hearth
