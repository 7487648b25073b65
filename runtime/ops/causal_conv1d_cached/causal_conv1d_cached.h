// causal_conv1d_cached: causal_conv1d that goes on where each sequence stood. Serving only.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x [T, C] f32, w [C, W] (f32, f16 or bf16), state [n_seqs, W-1, C] f32 (the last inputs of each sequence, oldest
// first; written in place), positions [T] i32, seq_of_token [T] i32 → y [T, C] f32. The tokens of a sequence come in
// order; before position 0 there are zeros, whatever the state holds. A token with a negative position is padding: its
// seq_of_token is not read, no state changes, and its output is zero.
class CausalConv1dCached final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
  std::vector<int> mutated_inputs() const override { return {2}; }
};

}  // namespace hearth
