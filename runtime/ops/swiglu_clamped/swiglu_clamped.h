// swiglu_clamped: swiglu with bounded operands, a steeper sigmoid and an offset beside `up`; and its backward.
#pragma once

#include "runtime/ops/op.h"
#include "runtime/ops/swiglu_clamped/form.h"

namespace hearth {

// gate, up of one shape → y = g σ(alpha g) (u + offset), with g = min(gate, limit), u = clamp(up, -limit, limit).
class SwigluClamped final : public Op {
 public:
  explicit SwigluClamped(ClampedSwiglu form) : form(form) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 1}; }
  const ClampedSwiglu form;
};

// (gate, up, dy) → (dgate, dup).
class SwigluClampedBackward final : public Op {
 public:
  explicit SwigluClampedBackward(ClampedSwiglu form) : form(form) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0, 1, 2}; }
  const ClampedSwiglu form;
};

}  // namespace hearth
