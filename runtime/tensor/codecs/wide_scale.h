// Formats of Hugging Face checkpoints that no GGUF type holds without loss: scales are floats. Exact, and this
// project's own: they are made when such a checkpoint is loaded and are not written to files.
#pragma once

#include "runtime/tensor/codecs/codec.h"

namespace hearth {

struct BlockF8x128 {  // e4m3 numbers: DeepSeek's 128 x 128 blocks, or one scale per row or tensor
  float scale;
  uint8_t q[128];
};
struct BlockI8x128 {
  float scale;
  int8_t q[128];
};
struct BlockNf4 {  // bitsandbytes: element 2j is the high half of byte j
  float scale;
  uint8_t q[32];
};

// e4m3 without infinities: 1 sign, 4 exponent (bias 7), 3 mantissa bits; 0x7f is NaN.
HEARTH_CODEC float e4m3_to_float(uint8_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x80u) << 24, magnitude = bits & 0x7fu;
  if (magnitude == 0x7fu) return bits_to_float(sign | 0x7fc00000u);
  if (magnitude < 8) return bits_to_float(sign | float_to_bits(static_cast<float>(magnitude) * 0.001953125f));  // 2^-9
  return bits_to_float(sign | ((magnitude << 20) + (120u << 23)));
}

// Quantiles of a normal distribution, as bitsandbytes defines them.
HEARTH_CODEC constexpr float nf4_level(int index) {
  constexpr float kLevels[16] = {-1.0f,
                                 -0.6961928009986877f,
                                 -0.5250730514526367f,
                                 -0.39491748809814453f,
                                 -0.28444138169288635f,
                                 -0.18477343022823334f,
                                 -0.09105003625154495f,
                                 0.0f,
                                 0.07958029955625534f,
                                 0.16093020141124725f,
                                 0.24611230194568634f,
                                 0.33791524171829224f,
                                 0.44070982933044434f,
                                 0.5626170039176941f,
                                 0.7229568362236023f,
                                 1.0f};
  return kLevels[index];
}

template <class B, int elements>
struct WideScaleCodec : CodecBase<B, elements, elements> {
  template <class Half>
  HEARTH_CODEC float scale(const B& b, int, Half) {
    return b.scale;
  }
};

template <>
struct Codec<Dtype::f8x128> : WideScaleCodec<BlockF8x128, 128> {
  HEARTH_CODEC float level(const Block& b, int i) { return e4m3_to_float(b.q[i]); }
};
template <>
struct Codec<Dtype::i8x128> : WideScaleCodec<BlockI8x128, 128> {
  HEARTH_CODEC float level(const Block& b, int i) { return static_cast<float>(b.q[i]); }
};
template <>
struct Codec<Dtype::nf4> : WideScaleCodec<BlockNf4, 64> {
  HEARTH_CODEC float level(const Block& b, int i) { return nf4_level((b.q[i / 2] >> (i % 2 ? 0 : 4)) & 15); }
};

}  // namespace hearth
