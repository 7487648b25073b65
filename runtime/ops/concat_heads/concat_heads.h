// concat_heads: the columns of two tensors side by side, head by head.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// a [..., A], b [..., B] → [..., A + B]: each head is a's, then b's.
class ConcatHeads final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 1}; }
};

}  // namespace hearth
