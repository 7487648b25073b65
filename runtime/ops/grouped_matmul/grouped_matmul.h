// grouped_matmul: one matrix product per expert over rows sorted by expert, and grouped_outer, its weights' gradient.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x [S, K], rows sorted by expert; w [E, N, K], or [E, K, N] without trans_w, of any weight dtype; expert_begin
// [n + 1] i32 from sort_by_expert → y [S, N] like x: y[i] = x[i] · w[e]ᵀ (or · w[e]) for the expert e of row i. Only
// the experts that have rows are read. Expert e of w is expert first_expert + e of expert_begin: rows of other experts
// are zero, so that shards of the experts add up. A row does not depend on the other rows. A w that is not f32 gets no
// gradient.
class GroupedMatmul final : public Op {
 public:
  explicit GroupedMatmul(bool trans_w, int first_expert = 0) : trans_w(trans_w), first_expert(first_expert) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types inputs) const override;
  const bool trans_w;
  const int first_expert;
};

// a [S, M], b [S, N], expert_begin [n + 1] i32 → [E, M, N] f32: the sum of a[i]ᵀ · b[i] over the rows i of each
// expert, in order; zero for an expert without rows. Experts first_expert to first_expert + E of expert_begin.
class GroupedOuter final : public Op {
 public:
  GroupedOuter(int n_experts, int first_expert) : n_experts(n_experts), first_expert(first_expert) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 1}; }
  const int n_experts;
  const int first_expert;
};

}  // namespace hearth
