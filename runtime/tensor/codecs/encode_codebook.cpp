// Encoders of formats with a codebook: the nearest level of each element, for the best of a few scales.
#include "runtime/tensor/codecs/encode.h"

namespace hearth {
namespace {

// The index of the level nearest to x in an ascending table of 16.
template <class Level>
int nearest_of_16(float x, Level level) {
  int low = 0, high = 15;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    (x < level(middle) ? high : low) = middle;
  }
  return x - level(low) < level(high) - x ? low : high;
}

float nonlinear(int index) {
  return static_cast<float>(nonlinear_level(index));
}

// The scale of 32 elements that leaves the least squared error, large elements counting more. The largest element goes
// to one end of the table; candidates around that are tried, each followed by its least-squares scale.
float fit_nonlinear(const float* x) {
  float largest = 0;
  for (int i = 0; i < 32; ++i)
    if (std::fabs(x[i]) > std::fabs(largest)) largest = x[i];
  if (largest == 0 || !std::isfinite(largest)) return 0;
  float best_gain = 0, best_scale = largest / nonlinear(0);
  for (int step = -7; step <= 7; ++step) {
    const float inverse = (nonlinear(0) + static_cast<float>(step)) / largest;
    float xq = 0, qq = 0;
    for (int i = 0; i < 32; ++i) {
      const float q = nonlinear(nearest_of_16(x[i] * inverse, nonlinear)), weight = x[i] * x[i];
      xq += weight * x[i] * q;
      qq += weight * q * q;
    }
    if (qq > 0 && xq * xq > best_gain * qq) best_gain = xq * xq / qq, best_scale = xq / qq;
  }
  return best_scale;
}

void store_nonlinear(const float* x, float scale, uint8_t* q) {
  const float inverse = inverse_or_zero(scale);
  auto index = [&](float v) { return nearest_of_16(v * inverse, nonlinear); };
  for (int i = 0; i < 16; ++i) q[i] = static_cast<uint8_t>(index(x[i]) | index(x[i + 16]) << 4);
}

}  // namespace

void encode(const float* x, BlockIq4Nl& block) {
  block.scale = float_to_f16(fit_nonlinear(x));
  store_nonlinear(x, f16_to_float(block.scale), block.q);
}

void encode(const float* x, BlockIq4Xs& block) {
  float scales[8], largest = 0;
  for (int s = 0; s < 8; ++s) {
    scales[s] = fit_nonlinear(x + s * 32);
    if (std::fabs(scales[s]) > std::fabs(largest)) largest = scales[s];
  }
  block.d = float_to_f16(largest / -32.0f);
  const float d = f16_to_float(block.d), inverse = inverse_or_zero(d);
  block.scales_high = 0;
  for (uint8_t& low : block.scales_low) low = 0;
  for (int s = 0; s < 8; ++s) {
    const int scale = rounded(scales[s] * inverse, -32, 31), stored = scale + 32;
    block.scales_low[s / 2] = static_cast<uint8_t>(block.scales_low[s / 2] | (stored & 15) << (4 * (s % 2)));
    block.scales_high = static_cast<uint16_t>(block.scales_high | (stored >> 4) << (2 * s));
    store_nonlinear(x + s * 32, d * static_cast<float>(scale), block.q + s * 16);
  }
}

// The power of two that puts the largest element between 4 and 8 times it; the nearest of e2m1's numbers, the smaller
// one on a tie.
void encode(const float* x, BlockMxfp4& block) {
  const float largest = largest_magnitude(x, 32);
  const int exponent = largest > 0 && std::isfinite(largest) ? std::ilogb(largest) - 2 + 127 : 0;
  block.exponent = static_cast<uint8_t>(std::clamp(exponent, 0, 254));
  const float scale = half_power(block.exponent);
  auto index = [&](float v) {
    int best = 0;
    float best_error = INFINITY;
    for (int i = 0; i < 16; ++i) {
      const float distance = std::fabs(scale * static_cast<float>(e2m1_doubled(i)) - v);
      if (distance < best_error) best = i, best_error = distance;
    }
    return best;
  };
  for (int i = 0; i < 16; ++i) block.q[i] = static_cast<uint8_t>(index(x[i]) | index(x[i + 16]) << 4);
}

void encode(const float* x, BlockNf4& block) {
  block.scale = largest_magnitude(x, 64);
  const float inverse = inverse_or_zero(block.scale);
  auto index = [&](float v) { return nearest_of_16(v * inverse, [](int i) { return nf4_level(i); }); };
  for (int i = 0; i < 32; ++i) block.q[i] = static_cast<uint8_t>(index(x[2 * i]) << 4 | index(x[2 * i + 1]));
}

}  // namespace hearth
