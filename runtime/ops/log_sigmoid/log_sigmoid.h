// log_sigmoid: y = log σ(x), without overflow: what preference losses are made of.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x f32 → y like x.
class LogSigmoid final : public Op {
 public:
  HEARTH_OP_RULES;
};

}  // namespace hearth
