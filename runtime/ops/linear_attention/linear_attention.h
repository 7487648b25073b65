// linear_attention: a gated recurrence of matrices, with or without the delta rule, within documents (training, whole
// sequences), and its backward.
#pragma once

#include "runtime/ops/linear_attention/attributes.h"

namespace hearth {

// q, k [T, Hk, dk], v [T, Hv, dv], log_decay, beta [T, Hv] f32, segment_begin [T] i32[, skip [Hv] f32] → out [T, Hv,
// dv] f32. A document begins with S = 0 at the token whose segment_begin differs from that of the token before.
class LinearAttention final : public Op {
 public:
  explicit LinearAttention(const LinearAttentionAttributes& heads) : heads(heads) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 1, 2}; }
  const LinearAttentionAttributes heads;
};

// (q, k, v, log_decay, beta, segment_begin, dout[, skip]) → (dq, dk, dv, dlog_decay, dbeta[, dskip]).
class LinearAttentionBackward final : public Op {
 public:
  explicit LinearAttentionBackward(const LinearAttentionAttributes& heads) : heads(heads) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 1, 2, 6}; }
  const LinearAttentionAttributes heads;
};

}  // namespace hearth
