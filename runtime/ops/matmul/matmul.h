// matmul: y = op(a) · op(b), where op transposes or not. linear(x, w) is matmul(x, w, false, true); gradients are
// matmuls again.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// a: [M, K], or [K, M] with trans_a. b: [K, N], or [N, K] with trans_b; any weight dtype (blocks run along b's last
// axis). → y [M, N] like a, or f32 where it widens. With trans_a, both are activations and y is f32: so weights get
// their gradients. Sums over K run in one fixed order for a given shape. A b that is not f32 gets no gradient (a frozen
// weight). a may be q8_0 where y = a · bᵀ and b has_integer_levels(): the product of what both stand for. Beside such an
// a, b may lie in panels.
class Matmul final : public Op {
 public:
  Matmul(bool trans_a, bool trans_b, bool widens = false) : trans_a(trans_a), trans_b(trans_b), widens(widens) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types inputs) const override;
  const bool trans_a;
  const bool trans_b;
  const bool widens;  // y is f32 beside bf16 activations too: no sum is rounded. graph/precision.cpp says where
};

}  // namespace hearth
