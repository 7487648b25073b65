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

// (logits, targets, weights, lse, dloss [1]) → dlogits [T, V].
class CrossEntropyBackward final : public Op {
 public:
  HEARTH_OP_RULES;
};

}  // namespace hearth
