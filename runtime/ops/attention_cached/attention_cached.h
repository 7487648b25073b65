// attention_cached: appends k and v of the new tokens to a paged cache and attends to the cache. Serving only.
#pragma once

#include "runtime/ops/attention/attributes.h"

namespace hearth {

// q [T, H, D], k [T, K, D], v [T, K, Dv]; k_cache [n_pages, K, page_size, D], v_cache [n_pages, K, page_size, Dv]
// (f32, f16 or bf16; written in place); positions [T] i32, seq_of_token [T] i32, page_table [n_seqs, max_pages] i32,
// with has_sinks also sinks [H] (f32, f16 or bf16) → out [T, H, Dv] like q. Token t is stored at page page_table[seq,
// positions[t] / page_size], row positions[t] % page_size, and attends to positions 0..positions[t] of its sequence, or
// to the last `window` of them. All tokens of the call are stored before any is attended. A token's result does not
// depend on its neighbours in the batch. A token with a negative position is padding: its seq_of_token is not read,
// nothing is stored, and its output is zero. Bidirectional attention needs all tokens at once and is refused.
class AttentionCached final : public Op {
 public:
  explicit AttentionCached(const AttentionAttributes& heads) : heads(heads) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 1, 2}; }
  std::vector<int> mutated_inputs() const override { return {3, 4}; }
  const AttentionAttributes heads;
};

}  // namespace hearth
