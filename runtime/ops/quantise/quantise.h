// quantise: activations as blocks of 8-bit levels, once for all the products that read them.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x f32 [..., K], K in whole blocks → the same shape as q8_0: levels -127 to 127 and a half-precision scale for each
// 32, so an element moves by at most 1/254 of the largest of its block and 1/2048 of itself for the scale, where the
// largest is above 0.008; of smaller blocks the scale is a subnormal half, and below 4e-6 nothing is left.
class Quantise final : public Op {
 public:
  HEARTH_OP_RULES;
};

}  // namespace hearth
