// rope: rotary position embedding, halves convention: pairs are (i, i + D/2) of each head. Its gradient is the inverse
// rotation.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// x [T, N*D] f32, positions [T] i32 → y like x. The angle of pair i at position p is p * inverse_frequencies[i]; cos
// and sin are multiplied by magnitude; `inverse` rotates backwards.
class Rope final : public Op {
 public:
  Rope(int head_dim, std::vector<float> inverse_frequencies, float magnitude, bool inverse)
      : head_dim(head_dim),
        inverse_frequencies(std::move(inverse_frequencies)),
        magnitude(magnitude),
        inverse(inverse) {}
  HEARTH_OP_RULES;
  const int head_dim;
  const std::vector<float> inverse_frequencies;
  const float magnitude;
  const bool inverse;
};

}  // namespace hearth
