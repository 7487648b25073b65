// Encoders of the K family. Each sub-block is fitted on its own (a few candidate scales, each refined by least
// squares, the best kept), then the scales are rounded to small integers times a half, and the levels are chosen again
// for the scales as they will be read.
#include "runtime/tensor/codecs/encode.h"

namespace hearth {
namespace {

// ---- levels 0 to n_levels - 1 with a scale and a minimum that is taken away ----

struct Affine {
  float scale = 0, minimum = 0;  // x is about scale * level - minimum; both at least 0
};

// The scale and minimum that are best for given levels; false when they do not make sense.
bool least_squares(const float* x, const float* weights, const int* levels, int n, Affine& out) {
  double sw = 0, sl = 0, sll = 0, sx = 0, sxl = 0;
  for (int i = 0; i < n; ++i) {
    const double w = weights[i], l = levels[i];
    sw += w, sl += w * l, sll += w * l * l, sx += w * x[i], sxl += w * x[i] * l;
  }
  const double determinant = sw * sll - sl * sl;
  if (!(determinant > 0)) return false;
  double scale = (sw * sxl - sx * sl) / determinant, low = (sll * sx - sl * sxl) / determinant;
  if (low > 0) low = 0, scale = sxl / sll;
  out = {static_cast<float>(scale), static_cast<float>(-low)};
  return scale > 0;
}

double squared_error(const float* x, const float* weights, const int* levels, int n, const Affine& fit) {
  double sum = 0;
  for (int i = 0; i < n; ++i) {
    const double difference = static_cast<double>(fit.scale) * levels[i] - fit.minimum - x[i];
    sum += weights[i] * difference * difference;
  }
  return sum;
}

void choose_levels(const float* x, int n, int n_levels, const Affine& fit, int* levels) {
  const float inverse = inverse_or_zero(fit.scale);
  for (int i = 0; i < n; ++i) levels[i] = rounded((x[i] + fit.minimum) * inverse, 0, n_levels - 1);
}

Affine fit_affine(const float* x, int n, int n_levels) {
  float weights[32], mean_square = 0;
  for (int i = 0; i < n; ++i) mean_square += x[i] * x[i] / static_cast<float>(n);
  for (int i = 0; i < n; ++i) weights[i] = std::sqrt(mean_square) + std::fabs(x[i]);
  const auto [low, high] = std::minmax_element(x, x + n);
  const float bottom = std::min(*low, 0.0f), range = *high - bottom;
  if (!(range > 0) || !std::isfinite(range)) return {0, -bottom};
  Affine best{range / static_cast<float>(n_levels - 1), -bottom};
  int levels[32];
  choose_levels(x, n, n_levels, best, levels);
  double best_error = squared_error(x, weights, levels, n, best);
  for (int step = -10; step <= 10; ++step) {
    Affine candidate{range / (static_cast<float>(n_levels - 1) + 0.1f * static_cast<float>(step)), -bottom};
    choose_levels(x, n, n_levels, candidate, levels);
    if (!least_squares(x, weights, levels, n, candidate)) continue;
    const double found = squared_error(x, weights, levels, n, candidate);
    if (found < best_error) best = candidate, best_error = found;
  }
  return best;
}

// `count` numbers, none negative, as integers up to `limit` times a half.
uint16_t round_scales(const float* values, int count, int limit, int* out) {
  const float largest = *std::max_element(values, values + count);
  const uint16_t unit = float_to_f16(largest / static_cast<float>(limit));
  const float inverse = inverse_or_zero(f16_to_float(unit));
  for (int i = 0; i < count; ++i) out[i] = rounded(values[i] * inverse, 0, limit);
  return unit;
}

// All sub-blocks of 256 elements: their integer scales and minima, and the final levels.
struct AffineBlock {
  uint16_t d, dmin;
  int scales[16], minima[16], levels[256];
};

AffineBlock fit_block(const float* x, int sub, int n_levels, int scale_limit) {
  AffineBlock out;
  float scales[16], minima[16];
  const int count = 256 / sub;
  for (int s = 0; s < count; ++s) {
    const Affine fit = fit_affine(x + s * sub, sub, n_levels);
    scales[s] = fit.scale, minima[s] = fit.minimum;
  }
  out.d = round_scales(scales, count, scale_limit, out.scales);
  out.dmin = round_scales(minima, count, scale_limit, out.minima);
  for (int s = 0; s < count; ++s) {
    const Affine as_read{f16_to_float(out.d) * static_cast<float>(out.scales[s]),
                         f16_to_float(out.dmin) * static_cast<float>(out.minima[s])};
    choose_levels(x + s * sub, sub, n_levels, as_read, out.levels + s * sub);
  }
  return out;
}

// 8 scales and 8 minima of six bits, see scale_of_8().
void store_scales_of_8(const AffineBlock& from, uint8_t* scales) {
  for (int s = 0; s < 4; ++s) {
    scales[s] = static_cast<uint8_t>(from.scales[s] | (from.scales[s + 4] >> 4) << 6);
    scales[s + 4] = static_cast<uint8_t>(from.minima[s] | (from.minima[s + 4] >> 4) << 6);
    scales[s + 8] = static_cast<uint8_t>((from.scales[s + 4] & 15) | (from.minima[s + 4] & 15) << 4);
  }
}

void store_two_bits(const int* levels, uint8_t* q) {
  std::fill(q, q + 64, uint8_t{0});
  for (int i = 0; i < 256; ++i) {
    uint8_t& byte = q[i / 128 * 32 + i % 32];
    byte = static_cast<uint8_t>(byte | (levels[i] & 3) << (2 * (i / 32 % 4)));
  }
}

void store_four_bits(const int* levels, uint8_t* q) {
  for (int i = 0; i < 128; ++i) {
    const int* pair = levels + i / 32 * 64 + i % 32;
    q[i] = static_cast<uint8_t>((pair[0] & 15) | (pair[32] & 15) << 4);
  }
}

void store_bit(const int* levels, int bit, uint8_t* high) {
  std::fill(high, high + 32, uint8_t{0});
  for (int i = 0; i < 256; ++i)
    high[i % 32] = static_cast<uint8_t>(high[i % 32] | ((levels[i] >> bit) & 1) << (i / 32));
}

// ---- levels -half to half - 1 with a signed scale ----

float fit_symmetric(const float* x, int n, int half) {
  float largest = 0;
  for (int i = 0; i < n; ++i)
    if (std::fabs(x[i]) > std::fabs(largest)) largest = x[i];
  if (largest == 0 || !std::isfinite(largest)) return 0;
  float best_gain = 0, best_scale = largest / static_cast<float>(-half);
  for (int step = -9; step <= 9; ++step) {
    const float inverse = -(static_cast<float>(half) + 0.1f * static_cast<float>(step)) / largest;
    float xq = 0, qq = 0;
    for (int i = 0; i < n; ++i) {
      const float q = static_cast<float>(rounded(x[i] * inverse, -half, half - 1)), weight = x[i] * x[i];
      xq += weight * x[i] * q;
      qq += weight * q * q;
    }
    if (qq > 0 && xq * xq > best_gain * qq) best_gain = xq * xq / qq, best_scale = xq / qq;
  }
  return best_scale;
}

struct SymmetricBlock {
  uint16_t d;
  int scales[16], levels[256];  // levels from 0: half is added
};

SymmetricBlock fit_symmetric_block(const float* x, int half, int scale_half) {
  SymmetricBlock out;
  float scales[16], largest = 0;
  for (int s = 0; s < 16; ++s) {
    scales[s] = fit_symmetric(x + s * 16, 16, half);
    if (std::fabs(scales[s]) > std::fabs(largest)) largest = scales[s];
  }
  out.d = float_to_f16(largest / static_cast<float>(-scale_half));
  const float d = f16_to_float(out.d), inverse = inverse_or_zero(d);
  for (int s = 0; s < 16; ++s) {
    out.scales[s] = rounded(scales[s] * inverse, -scale_half, scale_half - 1);
    const float inverse_scale = inverse_or_zero(d * static_cast<float>(out.scales[s]));
    for (int i = s * 16; i < s * 16 + 16; ++i) out.levels[i] = rounded(x[i] * inverse_scale, -half, half - 1) + half;
  }
  return out;
}

}  // namespace

void encode(const float* x, BlockQ2K& block) {
  const AffineBlock fit = fit_block(x, 16, 4, 15);
  block.d = fit.d, block.dmin = fit.dmin;
  for (int s = 0; s < 16; ++s) block.scales[s] = static_cast<uint8_t>(fit.scales[s] | fit.minima[s] << 4);
  store_two_bits(fit.levels, block.q);
}

void encode(const float* x, BlockQ4K& block) {
  const AffineBlock fit = fit_block(x, 32, 16, 63);
  block.d = fit.d, block.dmin = fit.dmin;
  store_scales_of_8(fit, block.scales);
  store_four_bits(fit.levels, block.q);
}

void encode(const float* x, BlockQ5K& block) {
  const AffineBlock fit = fit_block(x, 32, 32, 63);
  block.d = fit.d, block.dmin = fit.dmin;
  store_scales_of_8(fit, block.scales);
  store_four_bits(fit.levels, block.q);
  store_bit(fit.levels, 4, block.high);
}

void encode(const float* x, BlockQ3K& block) {
  const SymmetricBlock fit = fit_symmetric_block(x, 4, 32);
  block.d = fit.d;
  std::fill(std::begin(block.scales), std::end(block.scales), uint8_t{0});
  for (int s = 0; s < 16; ++s) {
    const int stored = fit.scales[s] + 32;
    block.scales[s % 8] = static_cast<uint8_t>(block.scales[s % 8] | (stored & 15) << (4 * (s / 8)));
    block.scales[8 + s % 4] = static_cast<uint8_t>(block.scales[8 + s % 4] | (stored >> 4) << (2 * (s / 4)));
  }
  store_two_bits(fit.levels, block.q);
  store_bit(fit.levels, 2, block.high);
}

void encode(const float* x, BlockQ6K& block) {
  const SymmetricBlock fit = fit_symmetric_block(x, 32, 128);
  block.d = fit.d;
  for (int s = 0; s < 16; ++s) block.scales[s] = static_cast<int8_t>(fit.scales[s]);
  int high[256];
  for (int i = 0; i < 256; ++i) high[i] = fit.levels[i] >> 4;
  store_two_bits(high, block.high);
  for (int i = 0; i < 128; ++i) {
    const int* pair = fit.levels + i / 64 * 128 + i % 64;
    block.q[i] = static_cast<uint8_t>((pair[0] & 15) | (pair[64] & 15) << 4);
  }
}

}  // namespace hearth
