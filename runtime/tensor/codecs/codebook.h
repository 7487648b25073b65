// Four bits that choose one of 16 fixed levels.
#pragma once

#include "runtime/tensor/codecs/codec.h"

namespace hearth {

struct BlockIq4Nl {
  uint16_t scale;
  uint8_t q[16];
};
struct BlockIq4Xs {
  uint16_t d, scales_high;  // six-bit scales: two upper bits here,
  uint8_t scales_low[4];    // four lower bits here
  uint8_t q[128];
};
struct BlockMxfp4 {  // OCP microscaling: the scale is a power of two, 2^(exponent - 127)
  uint8_t exponent;
  uint8_t q[16];
};

// Denser around zero, as weights are.
HEARTH_CODEC int nonlinear_level(int index) {
  constexpr int8_t kLevels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
  return kLevels[index];
}
// Twice the numbers of e2m1: 0 0.5 1 1.5 2 3 4 6, then their negatives.
HEARTH_CODEC int e2m1_doubled(int index) {
  constexpr int8_t kLevels[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
  return kLevels[index];
}
// 2^(exponent - 128): half of the scale, because the levels are doubled.
HEARTH_CODEC float half_power(uint8_t exponent) {
  return bits_to_float(exponent < 2 ? 0x00200000u << exponent : static_cast<uint32_t>(exponent - 1) << 23);
}

template <>
struct Codec<Dtype::iq4_nl> : CodecBase<BlockIq4Nl, 32, 32> {
  template <class Half>
  HEARTH_CODEC float scale(const Block& b, int, Half half) {
    return half(b.scale);
  }
  HEARTH_CODEC float level(const Block& b, int i) { return static_cast<float>(nonlinear_level(nibble_of_32(b.q, i))); }
};

template <>
struct Codec<Dtype::iq4_xs> : CodecBase<BlockIq4Xs, 256, 32> {
  template <class Half>
  HEARTH_CODEC float scale(const Block& b, int s, Half half) {
    const int low = (b.scales_low[s / 2] >> (4 * (s % 2))) & 15, high = (b.scales_high >> (2 * s)) & 3;
    return rounded_product(half(b.d), static_cast<float>((low | high << 4) - 32));
  }
  HEARTH_CODEC float level(const Block& b, int i) {
    return static_cast<float>(nonlinear_level(nibble_of_32(b.q + i / 32 * 16, i % 32)));
  }
};

template <>
struct Codec<Dtype::mxfp4> : CodecBase<BlockMxfp4, 32, 32> {
  template <class Half>
  HEARTH_CODEC float scale(const Block& b, int, Half) {
    return half_power(b.exponent);
  }
  HEARTH_CODEC float level(const Block& b, int i) { return static_cast<float>(e2m1_doubled(nibble_of_32(b.q, i))); }
};

}  // namespace hearth
