// rope: rotary position embedding of each head, or of a part of it. Its gradient is the inverse rotation.
#pragma once

#include "runtime/ops/op.h"

namespace hearth {

// Which elements of a head are rotated: 2·(number of frequencies) of them from `begin` on; the rest stay. Pair i is
// (i, i + n_pairs) of that part, or its neighbours (2i, 2i + 1) when `interleaved`.
struct RopeLayout {
  int begin = 0;
  bool interleaved = false;
};

// x [T, N, D], positions [T] i32 → y like x. The angle of pair i at position p is p * inverse_frequencies[i]; cos
// and sin are multiplied by magnitude; `inverse` rotates backwards.
class Rope final : public Op {
 public:
  Rope(int head_dim, std::vector<float> inverse_frequencies, float magnitude, bool inverse, RopeLayout layout = {})
      : head_dim(head_dim),
        inverse_frequencies(std::move(inverse_frequencies)),
        magnitude(magnitude),
        inverse(inverse),
        layout(layout) {}
  HEARTH_OP_RULES;
  std::vector<int> activations(Types) const override { return {0}; }
  int n_pairs() const { return static_cast<int>(inverse_frequencies.size()); }
  const int head_dim;
  const std::vector<float> inverse_frequencies;
  const float magnitude;
  const bool inverse;
  const RopeLayout layout;
};

}  // namespace hearth
