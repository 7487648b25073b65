// attention_cached: appends k and v of the new tokens to a paged cache and attends to the cache. Serving only.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// q [T, H*D], k [T, K*D], v [T, K*D] f32; k_cache, v_cache [n_pages, K, page_size, D] (f32, f16 or bf16; written in
// place); positions [T] i32, seq_of_token [T] i32, page_table [n_seqs, max_pages] i32 → out [T, H*D] f32. Token t is
// stored at page page_table[seq, positions[t] / page_size], row positions[t] % page_size, and attends to positions
// 0..positions[t] of its sequence. All tokens of the call are stored before any is attended. A token's result does not
// depend on its neighbours in the batch.
class AttentionCached final : public Op {
 public:
  AttentionCached(int n_heads, int n_kv_heads, int head_dim, float softmax_scale)
      : n_heads(n_heads), n_kv_heads(n_kv_heads), head_dim(head_dim), softmax_scale(softmax_scale) {}
  HEARTH_OP_RULES;
  std::vector<int> mutated_inputs() const override { return {3, 4}; }
  const int n_heads;
  const int n_kv_heads;
  const int head_dim;
  const float softmax_scale;
};

}  // namespace hearth
