// slice_heads: some columns of every head; pad_heads, its gradient, puts them back among zeros.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x [..., D] → [..., n]: columns begin to begin + n of each head of D.
class SliceHeads final : public Op {
 public:
  SliceHeads(int head_dim, int begin, int n) : head_dim(head_dim), begin(begin), n(n) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
  const int head_dim, begin, n;
};

// x [..., n] → [..., D]: columns begin to begin + n of each head of D; the others are zero.
class PadHeads final : public Op {
 public:
  PadHeads(int head_dim, int begin, int n) : head_dim(head_dim), begin(begin), n(n) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
  const int head_dim, begin, n;
};

}  // namespace hearth
