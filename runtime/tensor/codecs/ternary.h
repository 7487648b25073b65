// -1, 0 or 1 times one scale per 256.
#pragma once

#include "runtime/tensor/codecs/codec.h"
#include "runtime/tensor/codecs/k_quants.h"

namespace hearth {

struct BlockTq1 {     // five numbers a byte, as a fraction of 256 in base 3
  uint8_t q[48];      // elements 0 to 159 in 32 bytes, 160 to 239 in 16
  uint8_t q_last[4];  // 240 to 255, four a byte
  uint16_t d;
};
struct BlockTq2 {
  uint8_t q[64];
  uint16_t d;
};

// Digit `power` after the point of byte / 256 in base 3.
HEARTH_CODEC int ternary_digit(uint8_t byte, int power) {
  constexpr uint8_t kPowers[5] = {1, 3, 9, 27, 81};
  return static_cast<uint8_t>(byte * kPowers[power]) * 3 >> 8;
}

template <class B>
struct TernaryCodec : CodecBase<B, 256, 256> {
  template <class Half>
  HEARTH_CODEC float scale(const B& b, int, Half half) {
    return half(b.d);
  }
};

template <>
struct Codec<Dtype::tq1_0> : TernaryCodec<BlockTq1> {
  HEARTH_CODEC float level(const Block& b, int i) {
    const int j = i - 160, k = i - 240;
    const int digit = i < 160   ? ternary_digit(b.q[i % 32], i / 32)
                      : i < 240 ? ternary_digit(b.q[32 + j % 16], j / 16)
                                : ternary_digit(b.q_last[k % 4], k / 4);
    return static_cast<float>(digit - 1);
  }
};

template <>
struct Codec<Dtype::tq2_0> : TernaryCodec<BlockTq2> {
  HEARTH_CODEC float level(const Block& b, int i) { return static_cast<float>(two_bits(b.q, i) - 1); }
};

}  // namespace hearth
