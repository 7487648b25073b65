// sort_by_expert: index tensors that bring the rows of one expert together. Sizes depend on shapes only: a token has k
// slots, so there are S = T · k rows, however the router chose.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// ids [T, k] i32, each in [0, n_experts)[, positions [T] i32: a token with a negative one is padding] →
//   token_of_row [S]                 the token of each row; rows are sorted by expert, then by slot t · k + j
//   expert_of_row [S]
//   expert_begin [n_experts + 1]     rows of expert e: expert_begin[e] to expert_begin[e + 1]; behind those of the last
//                                    one are the rows of padding, which no expert computes
//   row_of_slot [T, k]               where slot (t, j) went
// all i32. An id out of range is a broken graph: it counts as the last expert, so that every index stays in bounds.
class SortByExpert final : public Op {
 public:
  explicit SortByExpert(int n_experts) : n_experts(n_experts) {}
  HEARTH_OP_RULES;
  const int n_experts;
};

}  // namespace hearth
