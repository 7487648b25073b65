// combine_experts: a token's result is the weighted sum of its experts' rows; and its backward.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// y [S, C] f32, one row per slot (S = T · k); row_of_slot [T, k] i32, a permutation of the rows; weights [T, k] f32
// → out [T, C] f32: out[t] = Σ_j weights[t, j] · y[row_of_slot[t, j]], in the order of j.
class CombineExperts final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
};

// (y, row_of_slot, weights, dout [T, C]) → dy [S, C], dweights [T, k].
class CombineExpertsBackward final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 3}; }
};

}  // namespace hearth
