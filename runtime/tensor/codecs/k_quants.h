// The K family: 256 elements in sub-blocks of 16 or 32, whose scales (and minima) are small integers times a half.
#pragma once

#include "runtime/tensor/codecs/codec.h"

namespace hearth {

struct BlockQ2K {
  uint8_t scales[16];  // low half: scale, high half: minimum
  uint8_t q[64];
  uint16_t d, dmin;
};
struct BlockQ3K {
  uint8_t high[32];  // bit i/32 of byte i%32 is clear: the level is 4 less
  uint8_t q[64];
  uint8_t scales[12];  // 16 of 6 bits
  uint16_t d;
};
struct BlockQ4K {
  uint16_t d, dmin;
  uint8_t scales[12];  // 8 scales and 8 minima of 6 bits
  uint8_t q[128];
};
struct BlockQ5K {
  uint16_t d, dmin;
  uint8_t scales[12];
  uint8_t high[32];
  uint8_t q[128];
};
struct BlockQ6K {
  uint8_t q[128];
  uint8_t high[64];
  int8_t scales[16];
  uint16_t d;
};

// Two bits of element i: each run of 128 elements lies in 32 bytes, a quarter of it in each bit pair.
HEARTH_CODEC int two_bits(const uint8_t* q, int i) {
  return (q[i / 128 * 32 + i % 32] >> (2 * (i / 32 % 4))) & 3;
}
// Four bits of element i: each run of 64 elements lies in 32 bytes.
HEARTH_CODEC int four_bits(const uint8_t* q, int i) {
  return (q[i / 64 * 32 + i % 32] >> (4 * (i / 32 % 2))) & 15;
}

// Six-bit scale and minimum s of 8. The upper two bits of the last four lie above those of the first four.
HEARTH_CODEC int scale_of_8(const uint8_t* scales, int s) {
  return s < 4 ? scales[s] & 63 : (scales[s + 4] & 15) | (scales[s - 4] >> 6) << 4;
}
HEARTH_CODEC int minimum_of_8(const uint8_t* scales, int s) {
  return s < 4 ? scales[s + 4] & 63 : scales[s + 4] >> 4 | (scales[s] >> 6) << 4;
}
// Six-bit scale s of 16.
HEARTH_CODEC int scale_of_16(const uint8_t* scales, int s) {
  const int low = s < 8 ? scales[s] & 15 : scales[s - 8] >> 4;
  return low | ((scales[8 + s % 4] >> (2 * (s / 4))) & 3) << 4;
}

template <>
struct Codec<Dtype::q2_k> : CodecBase<BlockQ2K, 256, 16> {
  static constexpr bool kHasOffset = true;
  template <class Half>
  HEARTH_CODEC float scale(const Block& b, int s, Half half) {
    return rounded_product(half(b.d), static_cast<float>(b.scales[s] & 15));
  }
  template <class Half>
  HEARTH_CODEC float offset(const Block& b, int s, Half half) {
    return -rounded_product(half(b.dmin), static_cast<float>(b.scales[s] >> 4));
  }
  HEARTH_CODEC float level(const Block& b, int i) { return static_cast<float>(two_bits(b.q, i)); }
};

template <>
struct Codec<Dtype::q3_k> : CodecBase<BlockQ3K, 256, 16> {
  template <class Half>
  HEARTH_CODEC float scale(const Block& b, int s, Half half) {
    return rounded_product(half(b.d), static_cast<float>(scale_of_16(b.scales, s) - 32));
  }
  HEARTH_CODEC float level(const Block& b, int i) {
    return static_cast<float>(two_bits(b.q, i) - ((b.high[i % 32] >> (i / 32)) & 1 ? 0 : 4));
  }
};

template <class B>
struct SixBitCodec : CodecBase<B, 256, 32> {
  static constexpr bool kHasOffset = true;
  template <class Half>
  HEARTH_CODEC float scale(const B& b, int s, Half half) {
    return rounded_product(half(b.d), static_cast<float>(scale_of_8(b.scales, s)));
  }
  template <class Half>
  HEARTH_CODEC float offset(const B& b, int s, Half half) {
    return -rounded_product(half(b.dmin), static_cast<float>(minimum_of_8(b.scales, s)));
  }
};

template <>
struct Codec<Dtype::q4_k> : SixBitCodec<BlockQ4K> {
  HEARTH_CODEC float level(const Block& b, int i) { return static_cast<float>(four_bits(b.q, i)); }
};

template <>
struct Codec<Dtype::q5_k> : SixBitCodec<BlockQ5K> {
  HEARTH_CODEC float level(const Block& b, int i) {
    return static_cast<float>(four_bits(b.q, i) | ((b.high[i % 32] >> (i / 32)) & 1) << 4);
  }
};

template <>
struct Codec<Dtype::q6_k> : CodecBase<BlockQ6K, 256, 16> {
  template <class Half>
  HEARTH_CODEC float scale(const Block& b, int s, Half half) {
    return rounded_product(half(b.d), static_cast<float>(b.scales[s]));
  }
  HEARTH_CODEC float level(const Block& b, int i) {
    const int low = (b.q[i / 128 * 64 + i % 64] >> (4 * (i / 64 % 2))) & 15;
    return static_cast<float>((low | two_bits(b.high, i) << 4) - 32);
  }
};

}  // namespace hearth
