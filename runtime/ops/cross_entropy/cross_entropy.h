// cross_entropy: weighted negative log-likelihood over a vocabulary, and its backward.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// logits [T, V] f32, targets [T] i32 (-1: no loss), weights [T] f32 → loss [1] = Σ weights[t] * nll[t] (in order of t),
// lse [T] (log-sum-exp of each row: what backward needs; 0 where there is no loss).
class CrossEntropy final : public Op {
 public:
  HEARTH_OP_RULES;
};

// (logits, targets, weights, lse, dloss [1]) → dlogits [T, V]. Of a vocabulary that is cut, logits are those from
// `begin` on, and lse is of all.
class CrossEntropyBackward final : public Op {
 public:
  explicit CrossEntropyBackward(int64_t begin = 0) : begin(begin) {}
  HEARTH_OP_RULES;
  const int64_t begin;
};

// What one part of a vocabulary knows: logits [T, V] f32, those from `begin` on, targets [T] i32 → lse [T] of these
// logits, picked [T]: the target's logit, 0 where another part has it; learns [T]: 1, or 0 without a target, where the
// others are 0 too.
class CrossEntropyPart final : public Op {
 public:
  explicit CrossEntropyPart(int64_t begin) : begin(begin) {}
  HEARTH_OP_RULES;
  const int64_t begin;
};

}  // namespace hearth
