// The IQ1, IQ2 and IQ3 families: 4 or 8 neighbours are one point of a fixed grid, with signs beside it. Host code only:
// the grids are tables of up to 16 KiB.
#pragma once

#include <cstring>

#include "runtime/tensor/codecs/codec.h"

namespace hearth {

// The points of a grid. Which points it has is a fact of the format; grid_tables.cpp keeps them packed.
template <int n, int dims>
struct Grid {
  int8_t point[n][dims];
};
extern const Grid<2048, 8> kGridIq1;
extern const Grid<256, 8> kGridIq2Xxs;
extern const Grid<512, 8> kGridIq2Xs;
extern const Grid<1024, 8> kGridIq2S;
extern const Grid<256, 4> kGridIq3Xxs;
extern const Grid<512, 4> kGridIq3S;

struct BlockIq1S {
  uint16_t d;
  uint8_t q[32];
  uint16_t high[8];  // per 32: four times 3 index bits, 3 scale bits, the sign of the shift
};
struct BlockIq1M {
  uint8_t q[32];
  uint8_t high[16];    // per 8: 3 index bits, the sign of the shift
  uint16_t scales[4];  // 16 scales of 3 bits; the upper four bits of each word are d's
};
struct BlockIq2Xxs {
  uint16_t d;
  uint8_t q[64];  // per 32: four indices, then a word of four times 7 sign bits and 4 scale bits
};
struct BlockIq2Xs {
  uint16_t d;
  uint16_t q[32];  // 9 index bits, 7 sign bits
  uint8_t scales[8];
};
struct BlockIq2S {
  uint16_t d;
  uint8_t q[32], signs[32], high[8], scales[8];
};
struct BlockIq3Xxs {
  uint16_t d;
  uint8_t q[64];
  uint8_t words[32];  // per 32: four times 7 sign bits and 4 scale bits
};
struct BlockIq3S {
  uint16_t d;
  uint8_t q[64], high[8], signs[32], scales[4];
};

// Of 7 sign bits the eighth follows: the number of minus signs is even.
HEARTH_CODEC float sign_of(uint32_t seven_bits, int i) {
  const uint32_t all = seven_bits | static_cast<uint32_t>(__builtin_parity(seven_bits)) << 7;
  return (all >> i) & 1 ? -1.0f : 1.0f;
}
HEARTH_CODEC float sign_bit(uint8_t bits, int i) {
  return (bits >> i) & 1 ? -1.0f : 1.0f;
}
HEARTH_CODEC uint32_t word_at(const uint8_t* bytes) {
  uint32_t word;
  memcpy(&word, bytes, 4);
  return word;
}
HEARTH_CODEC int half_byte(const uint8_t* bytes, int index) {
  return (bytes[index / 2] >> (4 * (index % 2))) & 15;
}

template <class B, int sub>
struct GridCodec : CodecBase<B, 256, sub> {
  static constexpr bool kOnDevice = false;
};

template <>
struct Codec<Dtype::iq1_s> : GridCodec<BlockIq1S, 32> {
  template <class Half>
  HEARTH_CODEC float scale(const Block& b, int s, Half half) {
    return half(b.d) * static_cast<float>(2 * ((b.high[s] >> 12) & 7) + 1);
  }
  HEARTH_CODEC float level(const Block& b, int i) {
    const int high = b.high[i / 32], index = b.q[i / 8] | ((high >> (3 * (i / 8 % 4))) & 7) << 8;
    return static_cast<float>(kGridIq1.point[index][i % 8]) + (high & 0x8000 ? -0.125f : 0.125f);
  }
};

template <>
struct Codec<Dtype::iq1_m> : GridCodec<BlockIq1M, 16> {
  template <class Half>
  HEARTH_CODEC float scale(const Block& b, int s, Half half) {
    const int d = b.scales[0] >> 12 | (b.scales[1] >> 8 & 0xf0) | (b.scales[2] >> 4 & 0xf00) | (b.scales[3] & 0xf000);
    return half(static_cast<uint16_t>(d)) * static_cast<float>(2 * ((b.scales[s / 4] >> (3 * (s % 4))) & 7) + 1);
  }
  HEARTH_CODEC float level(const Block& b, int i) {
    const int high = half_byte(b.high, i / 8), index = b.q[i / 8] | (high & 7) << 8;
    return static_cast<float>(kGridIq1.point[index][i % 8]) + (high & 8 ? -0.125f : 0.125f);
  }
};

template <>
struct Codec<Dtype::iq2_xxs> : GridCodec<BlockIq2Xxs, 32> {
  template <class Half>
  HEARTH_CODEC float scale(const Block& b, int s, Half half) {
    return half(b.d) * (0.5f + static_cast<float>(word_at(b.q + s * 8 + 4) >> 28)) * 0.25f;
  }
  HEARTH_CODEC float level(const Block& b, int i) {
    const uint8_t* q = b.q + i / 32 * 8;
    const int part = i / 8 % 4;
    return static_cast<float>(kGridIq2Xxs.point[q[part]][i % 8]) * sign_of((word_at(q + 4) >> (7 * part)) & 127, i % 8);
  }
};

template <>
struct Codec<Dtype::iq2_xs> : GridCodec<BlockIq2Xs, 16> {
  template <class Half>
  HEARTH_CODEC float scale(const Block& b, int s, Half half) {
    return half(b.d) * (0.5f + static_cast<float>(half_byte(b.scales, s))) * 0.25f;
  }
  HEARTH_CODEC float level(const Block& b, int i) {
    const uint32_t q = b.q[i / 8];
    return static_cast<float>(kGridIq2Xs.point[q & 511][i % 8]) * sign_of(q >> 9, i % 8);
  }
};

template <>
struct Codec<Dtype::iq2_s> : GridCodec<BlockIq2S, 16> {
  template <class Half>
  HEARTH_CODEC float scale(const Block& b, int s, Half half) {
    return half(b.d) * (0.5f + static_cast<float>(half_byte(b.scales, s))) * 0.25f;
  }
  HEARTH_CODEC float level(const Block& b, int i) {
    const int index = b.q[i / 8] | ((b.high[i / 32] >> (2 * (i / 8 % 4))) & 3) << 8;
    return static_cast<float>(kGridIq2S.point[index][i % 8]) * sign_bit(b.signs[i / 8], i % 8);
  }
};

template <>
struct Codec<Dtype::iq3_xxs> : GridCodec<BlockIq3Xxs, 32> {
  template <class Half>
  HEARTH_CODEC float scale(const Block& b, int s, Half half) {
    return half(b.d) * (0.5f + static_cast<float>(word_at(b.words + s * 4) >> 28)) * 0.5f;
  }
  HEARTH_CODEC float level(const Block& b, int i) {
    const uint32_t signs = (word_at(b.words + i / 32 * 4) >> (7 * (i / 8 % 4))) & 127;
    const auto& point = kGridIq3Xxs.point[b.q[i / 4]];
    return static_cast<float>(point[i % 4]) * sign_of(signs, i % 8);
  }
};

template <>
struct Codec<Dtype::iq3_s> : GridCodec<BlockIq3S, 32> {
  template <class Half>
  HEARTH_CODEC float scale(const Block& b, int s, Half half) {
    return half(b.d) * static_cast<float>(1 + 2 * half_byte(b.scales, s));
  }
  HEARTH_CODEC float level(const Block& b, int i) {
    const int index = b.q[i / 4] | ((b.high[i / 32] >> (i / 4 % 8)) & 1) << 8;
    return static_cast<float>(kGridIq3S.point[index][i % 4]) * sign_bit(b.signs[i / 8], i % 8);
  }
};

}  // namespace hearth
