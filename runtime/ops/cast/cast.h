// cast: the same values as f32 or bf16.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x f32 or bf16, any shape → y of dtype `to`, f32 or bf16, rounded to nearest even. graph/precision.cpp places it.
class Cast final : public Op {
 public:
  explicit Cast(Dtype to) : to(to) {}
  HEARTH_OP_RULES;
  const Dtype to;
};

}  // namespace hearth
