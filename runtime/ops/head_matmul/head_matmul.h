// head_matmul: one matrix product per head, and head_outer, its weights' gradient.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x [T, H, K]; w [H, N, K], or [H, K, N] without trans_w, of any weight dtype → y [T, H, N] like x:
// y[t, h] = x[t, h] · w[h]ᵀ (or · w[h]). A w that is not f32 gets no gradient.
class HeadMatmul final : public Op {
 public:
  explicit HeadMatmul(bool trans_w) : trans_w(trans_w) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
  const bool trans_w;
};

// a [T, H, M], b [T, H, N] → [H, M, N] f32: the sum of a[t, h]ᵀ · b[t, h] over t, in order.
class HeadOuter final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 1}; }
};

}  // namespace hearth
