// concat_heads: the columns of two tensors side by side, head by head.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// a [..., A], b [..., B] → [..., A + B] f32: each head is a's, then b's.
class ConcatHeads final : public Op {
 public:
  HEARTH_OP_RULES;
};

}  // namespace hearth
