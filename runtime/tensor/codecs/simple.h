// Blocks of 32 with one half-precision scale, and a minimum in the _1 kinds.
#pragma once

#include "runtime/tensor/codecs/codec.h"

namespace hearth {

struct BlockQ8_0 {
  uint16_t scale;
  int8_t q[32];
};
struct BlockQ4_0 {  // level - 8
  uint16_t scale;
  uint8_t q[16];
};
struct BlockQ4_1 {
  uint16_t scale, minimum;
  uint8_t q[16];
};
struct BlockQ5_0 {  // level - 16; bit i of `high` is the fifth bit of element i
  uint16_t scale;
  uint8_t high[4];
  uint8_t q[16];
};
struct BlockQ5_1 {
  uint16_t scale, minimum;
  uint8_t high[4];
  uint8_t q[16];
};

template <class B>
struct SimpleCodec : CodecBase<B, 32, 32> {
  template <class Half>
  HEARTH_CODEC float scale(const B& b, int, Half half) {
    return half(b.scale);
  }
};
template <class B>
struct MinimumCodec : SimpleCodec<B> {
  static constexpr bool kHasOffset = true;
  template <class Half>
  HEARTH_CODEC float offset(const B& b, int, Half half) {
    return half(b.minimum);
  }
};

HEARTH_CODEC int five_bits(const uint8_t* q, const uint8_t* high, int i) {
  return nibble_of_32(q, i) | ((high[i / 8] >> (i % 8)) & 1) << 4;
}

template <>
struct Codec<Dtype::q8_0> : SimpleCodec<BlockQ8_0> {
  HEARTH_CODEC float level(const Block& b, int i) { return static_cast<float>(b.q[i]); }
};
template <>
struct Codec<Dtype::q4_0> : SimpleCodec<BlockQ4_0> {
  HEARTH_CODEC float level(const Block& b, int i) { return static_cast<float>(nibble_of_32(b.q, i) - 8); }
};
template <>
struct Codec<Dtype::q4_1> : MinimumCodec<BlockQ4_1> {
  HEARTH_CODEC float level(const Block& b, int i) { return static_cast<float>(nibble_of_32(b.q, i)); }
};
template <>
struct Codec<Dtype::q5_0> : SimpleCodec<BlockQ5_0> {
  HEARTH_CODEC float level(const Block& b, int i) { return static_cast<float>(five_bits(b.q, b.high, i) - 16); }
};
template <>
struct Codec<Dtype::q5_1> : MinimumCodec<BlockQ5_1> {
  HEARTH_CODEC float level(const Block& b, int i) { return static_cast<float>(five_bits(b.q, b.high, i)); }
};

}  // namespace hearth
