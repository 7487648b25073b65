// causal_conv1d: every channel is filtered over its last W tokens, within documents (training, whole sequences), and
// its backward.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x [T, C] f32, w [C, W] (f32, f16 or bf16), segment_begin [T] i32 → y [T, C] f32: y[t] = Σ_j w[:, W-1-j] x[t-j] over
// the tokens t-j from segment_begin[t] on. W is at most kMaxConvWidth. A bias is an add, an activation an op of its
// own.
class CausalConv1d final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
};

// (x, w, segment_begin, dy) → (dx, dw f32).
class CausalConv1dBackward final : public Op {
 public:
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 3}; }
};

inline constexpr int kMaxConvWidth = 16;

// x [T, C] and w [C, W] as inputs 0 and 1.
Result<void> check_conv(std::string_view op, Types inputs);

}  // namespace hearth
