// concat_heads: the columns of two tensors side by side, head by head.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// a [T, H·A], b [T, H·B] → [T, H·(A + B)] f32: head h is a's head h, then b's.
class ConcatHeads final : public Op {
 public:
  explicit ConcatHeads(int n_heads) : n_heads(n_heads) {}
  HEARTH_OP_RULES;
  const int n_heads;
};

}  // namespace hearth
