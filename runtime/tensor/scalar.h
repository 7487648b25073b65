// Scalar math shared by host and device code: number formats, activations. Written once.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#define HEARTH_HD __host__ __device__
#else
#define HEARTH_HD
#endif

namespace hearth {

HEARTH_HD inline float bits_to_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, 4);
  return value;
}
HEARTH_HD inline uint32_t float_to_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return bits;
}

HEARTH_HD inline float bf16_to_float(uint16_t bits) {
  return bits_to_float(static_cast<uint32_t>(bits) << 16);
}
// Round to nearest even; NaN stays NaN.
HEARTH_HD inline uint16_t float_to_bf16(float value) {
  uint32_t bits = float_to_bits(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 64);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1)) >> 16);
}

// IEEE half to float by exponent rebias; subnormals by a float subtraction.
HEARTH_HD inline float f16_to_float(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t magnitude = half & 0x7fffu;
  if (magnitude >= 0x7c00u) return bits_to_float(sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13));
  if (magnitude < 0x400u) {
    const float subnormal = static_cast<float>(magnitude) * 5.9604644775390625e-08f;  // 2^-24
    return bits_to_float(sign | float_to_bits(subnormal));
  }
  return bits_to_float(sign | ((magnitude << 13) + 0x38000000u));
}
// Round to nearest even; overflow becomes infinity.
HEARTH_HD inline uint16_t float_to_f16(float value) {
  const uint32_t bits = float_to_bits(value);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u);
  if (magnitude >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u);
  if (magnitude < 0x38800000u) {  // below the smallest normal half: adding 0.5 aligns the mantissa and rounds
    const float shifted = bits_to_float(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (float_to_bits(shifted) - 0x3f000000u));
  }
  magnitude += 0xc8000fffu + ((magnitude >> 13) & 1);
  return static_cast<uint16_t>(sign | (magnitude >> 13));
}

// Quantised rows are read in groups of 32 elements: every block is a whole number of them (runtime/tensor/codecs/).
inline constexpr int kQuantBlock = 32;

HEARTH_HD inline float sigmoid(float x) {
  return 1.0f / (1.0f + expf(-x));
}
// log(1 + e^x); above 20 that is x.
HEARTH_HD inline float softplus(float x) {
  return x > 20.0f ? x : log1pf(expf(x));
}
HEARTH_HD inline float silu(float x) {
  return x * sigmoid(x);
}
HEARTH_HD inline float silu_derivative(float x) {
  const float s = sigmoid(x);
  return s * (1.0f + x * (1.0f - s));
}

// gelu: x Φ(x). The tanh form approximates Φ; both are what models were trained with.
HEARTH_HD inline float gelu(float x) {
  return 0.5f * x * (1.0f + erff(x * 0.707106781186547524f));
}
HEARTH_HD inline float gelu_derivative(float x) {
  return 0.5f * (1.0f + erff(x * 0.707106781186547524f)) + x * 0.398942280401432678f * expf(-0.5f * x * x);
}
HEARTH_HD inline float gelu_tanh(float x) {
  return x * sigmoid(1.59576912160573071f * (x + 0.044715f * x * x * x));  // (1 + tanh u) / 2 = sigmoid(2 u)
}
HEARTH_HD inline float gelu_tanh_derivative(float x) {
  const float s = sigmoid(1.59576912160573071f * (x + 0.044715f * x * x * x));
  return s + x * s * (1.0f - s) * 1.59576912160573071f * (1.0f + 0.134145f * x * x);
}

}  // namespace hearth
