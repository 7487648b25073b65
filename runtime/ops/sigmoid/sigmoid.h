// sigmoid: y = 1 / (1 + e^-x), and its backward.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x → y like x.
class Sigmoid final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
};

// (y, dy) → dx = dy y (1 - y), from the output of the forward op.
class SigmoidBackward final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 1}; }
};

}  // namespace hearth
