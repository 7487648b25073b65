// copy_rows: rows of a state copied to other rows of it. Serving only.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// state [N, ...] (f32, f16 or bf16; written in place), from [n] i32, to [n] i32 → nothing. For i in order, row to[i]
// becomes what row from[i] is by then; nothing happens where either is no row of the state (padding: -1). A row is all
// that one index of the first axis has: a page of a cache, or what a recurrence made of one sequence.
class CopyRows final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<int> mutated_inputs() const override { return {0}; }
};

}  // namespace hearth
