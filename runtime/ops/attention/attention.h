// attention: grouped-query, within documents, without a cache (training, whole sequences), and its backward.
#pragma once

#include "runtime/ops/attention/attributes.h"

namespace hearth {

// q [T, H, D], k [T, K, D], v [T, K, Dv], segment_begin [T] i32, with has_sinks also sinks [H] (f32, f16 or bf16):
// token t attends to tokens segment_begin[t]..t, or what the attributes make of that.
// → out [T, H, Dv] like q, lse [T, H] f32 (log-sum-exp of the scores: what backward needs). No [T, T] matrix is stored.
class Attention final : public Op {
 public:
  explicit Attention(const AttentionAttributes& heads) : heads(heads) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 1, 2}; }
  const AttentionAttributes heads;
};

// (q, k, v, segment_begin, out, lse, dout[, sinks]) → (dq, dk, dv[, dsinks f32]).
class AttentionBackward final : public Op {
 public:
  explicit AttentionBackward(const AttentionAttributes& heads) : heads(heads) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 1, 2, 4, 6}; }
  const AttentionAttributes heads;
};

}  // namespace hearth
