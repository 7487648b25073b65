// token_logprobs: the log-probability of a given token at each position, from logits that are never all there at once;
// and its backward, which makes a chunk's logits anew.
#pragma once

#include "runtime/ops/linear_cross_entropy/linear_cross_entropy.h"

namespace hearth {

// x [T, C], w [V, C] of any weight dtype, targets [T] i32 (-1: none) → logprobs [T] f32, 0 where there is no
// target.
class TokenLogprobs final : public Op {
 public:
  explicit TokenLogprobs(const LogitForm& form) : form(form) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
  const LogitForm form;
};

// (x, w, targets, dlogprobs [T]) → dx like x[, dw [V, C] where it trains w, which is f32 then].
class TokenLogprobsBackward final : public Op {
 public:
  TokenLogprobsBackward(const LogitForm& form, bool trains_w) : form(form), trains_w(trains_w) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
  const LogitForm form;
  const bool trains_w;
};

}  // namespace hearth
