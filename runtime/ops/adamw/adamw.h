// adamw: one step of the optimizer on one tensor (Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization").
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// w, m, v, grad f32 of one shape; scale [1]; rates [3]: the learning rate, 1 / (1 - beta1^step), 1 / (1 - beta2^step)
// → the next versions of w, m, v:
//   g = scale · grad;  m += (1 - beta1)(g - m);  v += (1 - beta2)(g² - v)
//   w -= rate · (m · rates[1] / (sqrt(v · rates[2]) + eps) + weight_decay · w)
// Where scale is no finite number, all three stay as they are.
class AdamW final : public Op {
 public:
  struct Attributes {
    float beta1 = 0.9f, beta2 = 0.95f, eps = 1e-8f, weight_decay = 0;
  };
  explicit AdamW(const Attributes& a) : a(a) {}
  HEARTH_OP_RULES;
  int version_of(int output) const override { return output; }
  const Attributes a;
};

}  // namespace hearth
