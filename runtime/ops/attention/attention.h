// attention: grouped-query, causal within documents, without a cache (training, whole sequences), and its backward.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// q [T, H*D], k [T, K*D], v [T, K*D] f32, segment_begin [T] i32: token t attends to tokens segment_begin[t]..t.
// → out [T, H*D] f32, lse [T, H] f32 (log-sum-exp of the scaled scores: what backward needs). No [T, T] matrix is
// stored.
class Attention final : public Op {
 public:
  Attention(int n_heads, int n_kv_heads, int head_dim, float softmax_scale)
      : n_heads(n_heads), n_kv_heads(n_kv_heads), head_dim(head_dim), softmax_scale(softmax_scale) {}
  HEARTH_OP_RULES;
  const int n_heads;
  const int n_kv_heads;
  const int head_dim;
  const float softmax_scale;
};

// (q, k, v, segment_begin, out, lse, dout) → (dq, dk, dv).
class AttentionBackward final : public Op {
 public:
  AttentionBackward(int n_heads, int n_kv_heads, int head_dim, float softmax_scale)
      : n_heads(n_heads), n_kv_heads(n_kv_heads), head_dim(head_dim), softmax_scale(softmax_scale) {}
  HEARTH_OP_RULES;
  const int n_heads;
  const int n_kv_heads;
  const int head_dim;
  const float softmax_scale;
};

}  // namespace hearth
