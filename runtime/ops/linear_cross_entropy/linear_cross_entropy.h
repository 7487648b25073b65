// linear_cross_entropy: cross_entropy of logits that are never all there at once, and its backward.
//
// The logits of a chunk of tokens are made, used and forgotten, so no [T, V] buffer exists. Backward makes them anew,
// and from them the gradients and the loss in one go: where nothing but the loss is read of it, the forward op need not
// run (GradientBuilder::replace_output), and nothing is computed twice. Tokens without a target cost nothing.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// What becomes of y = x · wᵀ: factor · y, or cap · tanh(factor · y).
struct LogitForm {
  float factor = 1;
  float cap = 0;  // 0: none
  std::string to_string() const;
};

// x [T, C], w [V, C] of any weight dtype, targets [T] i32 (-1: no loss), weights [T] f32
// → loss [1] = Σ weights[t] · nll[t] (in order of t).
class LinearCrossEntropy final : public Op {
 public:
  explicit LinearCrossEntropy(const LogitForm& form) : form(form) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
  const LogitForm form;
};

// (x, w, targets, weights, dloss [1]) → (loss [1], dx like x[, dw [V, C] where it trains w, which is f32 then]).
class LinearCrossEntropyBackward final : public Op {
 public:
  LinearCrossEntropyBackward(const LogitForm& form, bool trains_w) : form(form), trains_w(trains_w) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
  const LogitForm form;
  const bool trains_w;
};

}  // namespace hearth
