// global_norm: the length of all gradients as one vector, and what it makes of them.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// loss [1], then any number of gradients, all f32 → norm [1]; scale [1]: what the gradients are to be multiplied by so
// that they are no longer than max_norm (0: as long as they are), or NaN where they or the loss are no numbers.
class GlobalNorm final : public Op {
 public:
  explicit GlobalNorm(double max_norm) : max_norm(max_norm) {}
  HEARTH_OP_RULES;
  const double max_norm;
};

// From the sum of squares: the two outputs.
struct NormAndScale {
  float norm, scale;
};
NormAndScale norm_and_scale(double sum_of_squares, float loss, double max_norm);

}  // namespace hearth
