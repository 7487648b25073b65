// Encoders of blocks with one scale and evenly spaced levels. Scales are applied before they are rounded to halves, as
// the reference implementation of these formats does.
#include "runtime/tensor/codecs/encode.h"

namespace hearth {
namespace {

// The element of largest magnitude, with its sign: mapped to the lowest level, it decides the sign of the scale.
float signed_largest(const float* x) {
  float largest = 0, value = 0;
  for (int i = 0; i < 32; ++i)
    if (std::fabs(x[i]) > largest) largest = std::fabs(x[i]), value = x[i];
  return value;
}

struct Fit {
  float scale, minimum;
  int level[32];
};

// Levels -2^(bits-1) and up, moved to begin at 0.
Fit fit_symmetric(const float* x, int bits) {
  const int half = 1 << (bits - 1);
  Fit fit{signed_largest(x) / static_cast<float>(-half), 0, {}};
  const float inverse = inverse_or_zero(fit.scale), shift = static_cast<float>(half) + 0.5f;
  for (int i = 0; i < 32; ++i) fit.level[i] = clamped_int(x[i] * inverse + shift, 0, 2 * half - 1);
  return fit;
}

Fit fit_range(const float* x, int n_levels) {
  const auto [low, high] = std::minmax_element(x, x + 32);
  Fit fit{(*high - *low) / static_cast<float>(n_levels - 1), *low, {}};
  const float inverse = inverse_or_zero(fit.scale);
  for (int i = 0; i < 32; ++i) fit.level[i] = clamped_int((x[i] - fit.minimum) * inverse + 0.5f, 0, n_levels - 1);
  return fit;
}

void store_nibbles(const Fit& fit, uint8_t* q) {
  for (int i = 0; i < 16; ++i) q[i] = static_cast<uint8_t>((fit.level[i] & 15) | (fit.level[i + 16] & 15) << 4);
}
void store_fifth_bits(const Fit& fit, uint8_t* high) {
  for (int i = 0; i < 4; ++i) high[i] = 0;
  for (int i = 0; i < 32; ++i) high[i / 8] = static_cast<uint8_t>(high[i / 8] | (fit.level[i] >> 4) << (i % 8));
}

}  // namespace

// A block with something that is no number is none: it must show where it is read.
constexpr uint16_t kHalfNan = 0x7e00;

bool all_finite(const float* x) {
  float sum = 0;
  for (int i = 0; i < 32; ++i) sum += x[i] * 0;
  return sum == 0;
}

void encode(const float* x, BlockQ8_0& block) {
  if (!all_finite(x)) {
    block = {kHalfNan, {}};
    return;
  }
  const float scale = largest_magnitude(x, 32) / 127.0f;
  const float inverse = inverse_or_zero(scale);
  block.scale = float_to_f16(scale);
  for (int i = 0; i < 32; ++i) block.q[i] = static_cast<int8_t>(clamped_int(std::round(x[i] * inverse), -128, 127));
}

void encode(const float* x, BlockQ4_0& block) {
  const Fit fit = fit_symmetric(x, 4);
  block.scale = float_to_f16(fit.scale);
  store_nibbles(fit, block.q);
}

void encode(const float* x, BlockQ4_1& block) {
  const Fit fit = fit_range(x, 16);
  block.scale = float_to_f16(fit.scale);
  block.minimum = float_to_f16(fit.minimum);
  store_nibbles(fit, block.q);
}

void encode(const float* x, BlockQ5_0& block) {
  const Fit fit = fit_symmetric(x, 5);
  block.scale = float_to_f16(fit.scale);
  store_nibbles(fit, block.q);
  store_fifth_bits(fit, block.high);
}

void encode(const float* x, BlockQ5_1& block) {
  const Fit fit = fit_range(x, 32);
  block.scale = float_to_f16(fit.scale);
  block.minimum = float_to_f16(fit.minimum);
  store_nibbles(fit, block.q);
  store_fifth_bits(fit, block.high);
}

// ---- ternary ----

namespace {

// Level + 1 of all 256 elements; returns the scale.
float fit_ternary(const float* x, int (&digits)[256]) {
  const float scale = largest_magnitude(x, 256);
  const float inverse = inverse_or_zero(scale);
  for (int i = 0; i < 256; ++i) digits[i] = clamped_int(std::round(x[i] * inverse), -1, 1) + 1;
  return scale;
}

// n digits, `stride` apart, the first counting most; then scaled so that the byte is a fraction of 256, rounded up.
uint8_t ternary_byte(const int* digits, int stride, int n) {
  int number = 0;
  for (int i = 0; i < 5; ++i) number = number * 3 + (i < n ? digits[i * stride] : 0);
  return static_cast<uint8_t>((number * 256 + 242) / 243);
}

}  // namespace

void encode(const float* x, BlockTq1& block) {
  int digits[256];
  block.d = float_to_f16(fit_ternary(x, digits));
  for (int i = 0; i < 32; ++i) block.q[i] = ternary_byte(digits + i, 32, 5);
  for (int i = 0; i < 16; ++i) block.q[32 + i] = ternary_byte(digits + 160 + i, 16, 5);
  for (int i = 0; i < 4; ++i) block.q_last[i] = ternary_byte(digits + 240 + i, 4, 4);
}

void encode(const float* x, BlockTq2& block) {
  int digits[256];
  block.d = float_to_f16(fit_ternary(x, digits));
  for (uint8_t& q : block.q) q = 0;
  for (int i = 0; i < 256; ++i) {
    uint8_t& q = block.q[i / 128 * 32 + i % 32];
    q = static_cast<uint8_t>(q | digits[i] << (2 * (i / 32 % 4)));
  }
}

// ---- float scales ----

namespace {

// Round to nearest even; beyond 448 the largest number.
uint8_t float_to_e4m3(float x) {
  const uint32_t bits = float_to_bits(x), sign = (bits >> 24) & 0x80u;
  const float magnitude = std::fabs(x);
  if (!(magnitude < 464.0f)) return static_cast<uint8_t>(sign | 0x7eu);
  if (magnitude < 0.015625f)  // below 2^-6 steps are 2^-9; eight of them are the smallest normal number
    return static_cast<uint8_t>(sign | static_cast<uint32_t>(std::nearbyint(magnitude * 512.0f)));
  uint32_t m = bits & 0x7fffffffu;
  m += 0x7ffffu + ((m >> 20) & 1);
  return static_cast<uint8_t>(sign | ((m >> 20) - (120u << 3)));
}

}  // namespace

void encode(const float* x, BlockF8x128& block) {
  block.scale = largest_magnitude(x, 128) / 448.0f;
  const float inverse = inverse_or_zero(block.scale);
  for (int i = 0; i < 128; ++i) block.q[i] = float_to_e4m3(x[i] * inverse);
}

void encode(const float* x, BlockI8x128& block) {
  block.scale = largest_magnitude(x, 128) / 127.0f;
  const float inverse = inverse_or_zero(block.scale);
  for (int i = 0; i < 128; ++i) block.q[i] = static_cast<int8_t>(rounded(x[i] * inverse, -127, 127));
}

}  // namespace hearth
