// linear_attention_cached: linear_attention that goes on where each sequence stood. Serving only.
#pragma once

#include "runtime/ops/linear_attention/attributes.h"

namespace hearth {

// q, k [T, Hk, dk], v [T, Hv, dv], log_decay, beta [T, Hv] f32, state [n_seqs, Hv, dk, dv] f32 (written in place),
// positions [T] i32, seq_of_token [T] i32[, skip [Hv] f32] → out [T, Hv, dv] f32. The tokens of a sequence come in
// order; position 0 begins with S = 0, whatever the state holds. A token with a negative position is padding: its
// seq_of_token is not read, no state changes, and its output is zero.
class LinearAttentionCached final : public Op {
 public:
  explicit LinearAttentionCached(const LinearAttentionAttributes& heads) : heads(heads) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 1, 2}; }
  std::vector<int> mutated_inputs() const override { return {5}; }
  const LinearAttentionAttributes heads;
};

}  // namespace hearth
