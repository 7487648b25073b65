// Bounds of a configuration, and the rotary frequencies for each kind of scaling.
#include "runtime/architectures/model_config.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hearth {
namespace {

Result<void> check_range(const char* name, int value, int low, int high) {
  if (value >= low && value <= high) return {};
  return error(Code::invalid_argument, "model config: {} must be {} to {}, got {}", name, low, high, value);
}

Result<void> check_number(const char* name, double value, double low, double high) {
  if (value >= low && value <= high) return {};
  return error(Code::invalid_argument, "model config: {} must be {} to {}, got {}", name, low, high, value);
}

// Llama 3: long wavelengths are slowed by `factor`, short ones kept, a smooth ramp between.
double llama3_frequency(const RopeConfig& rope, double frequency) {
  const double wavelength = 2 * std::numbers::pi / frequency;
  const double original = rope.original_max_seq_len;
  if (wavelength < original / rope.high_freq_factor) return frequency;
  if (wavelength > original / rope.low_freq_factor) return frequency / rope.factor;
  const double ramp = (original / wavelength - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor);
  return (1 - ramp) * frequency / rope.factor + ramp * frequency;
}

// YaRN (Peng et al. 2023): dimensions that turn fewer than beta_slow times over the original context are interpolated,
// those that turn more than beta_fast times are kept, a linear ramp over the dimensions between.
double yarn_dimension(const RopeConfig& rope, int head_dim, double n_rotations) {
  return head_dim * std::log(rope.original_max_seq_len / (n_rotations * 2 * std::numbers::pi)) /
         (2 * std::log(rope.theta));
}

double yarn_frequency(const RopeConfig& rope, int head_dim, int i, double frequency) {
  double low = yarn_dimension(rope, head_dim, rope.beta_fast), high = yarn_dimension(rope, head_dim, rope.beta_slow);
  if (rope.truncate) low = std::floor(low), high = std::ceil(high);
  low = std::max(low, 0.0);
  high = std::min(high, head_dim - 1.0);
  if (low == high) high += 0.001;
  const double ramp = std::clamp((i - low) / (high - low), 0.0, 1.0);
  return ramp * frequency / rope.factor + (1 - ramp) * frequency;
}

double yarn_magnitude(double factor, double mscale) {
  return factor <= 1 ? 1.0 : 0.1 * mscale * std::log(factor) + 1.0;
}

float rope_magnitude(const RopeConfig& rope) {
  if (rope.scaling != RopeConfig::Scaling::yarn) return 1;
  if (rope.attention_factor > 0) return static_cast<float>(rope.attention_factor);
  if (rope.mscale > 0 && rope.mscale_all_dim > 0)
    return static_cast<float>(yarn_magnitude(rope.factor, rope.mscale) /
                              yarn_magnitude(rope.factor, rope.mscale_all_dim));
  return static_cast<float>(yarn_magnitude(rope.factor, 1));
}

}  // namespace

Result<void> validate(const ModelConfig& c) {
  TRY(check_range("n_layers", c.n_layers, 1, 1000));
  TRY(check_range("d_model", c.d_model, 1, 1 << 18));
  TRY(check_range("n_heads", c.n_heads, 1, 4096));
  TRY(check_range("n_kv_heads", c.n_kv_heads, 1, c.n_heads));
  TRY(check_range("head_dim", c.head_dim, 2, 4096));
  TRY(check_range("d_ff", c.d_ff, 1, 1 << 20));
  TRY(check_range("vocab_size", c.vocab_size, 1, 1 << 22));
  TRY(check_range("max_seq_len", c.max_seq_len, 1, 1 << 24));
  TRY(check_number("norm_eps", c.norm_eps, 0, 1));
  TRY(check_number("rope_theta", c.rope.theta, 1e-3, 1e12));
  TRY(check_number("rope scaling factor", c.rope.factor, 1e-3, 1e6));
  if (c.n_heads % c.n_kv_heads != 0)
    return error(Code::invalid_argument, "model config: n_heads must be a multiple of n_kv_heads, got {} and {}",
                 c.n_heads, c.n_kv_heads);
  if (c.head_dim % 2 != 0)
    return error(Code::invalid_argument, "model config: head_dim must be even, got {}", c.head_dim);
  const bool needs_original =
      c.rope.scaling == RopeConfig::Scaling::llama3 || c.rope.scaling == RopeConfig::Scaling::yarn;
  if (needs_original)
    TRY(check_range("rope scaling original_max_position_embeddings", c.rope.original_max_seq_len, 1, 1 << 24));
  if (c.rope.scaling == RopeConfig::Scaling::llama3 &&
      !(c.rope.high_freq_factor > c.rope.low_freq_factor && c.rope.low_freq_factor > 0))
    return error(Code::invalid_argument,
                 "model config: rope scaling needs 0 < low_freq_factor < high_freq_factor, got {} and {}",
                 c.rope.low_freq_factor, c.rope.high_freq_factor);
  if (c.rope.scaling == RopeConfig::Scaling::yarn && c.rope.theta <= 1)
    return error(Code::invalid_argument, "model config: yarn needs rope_theta above 1, got {}", c.rope.theta);
  return {};
}

RopeTable rope_table(const RopeConfig& rope, int head_dim) {
  RopeTable table;
  for (int i = 0; i < head_dim / 2; ++i) {
    double frequency = std::pow(rope.theta, -2.0 * i / head_dim);
    switch (rope.scaling) {
      case RopeConfig::Scaling::none:
        break;
      case RopeConfig::Scaling::linear:
        frequency /= rope.factor;
        break;
      case RopeConfig::Scaling::llama3:
        frequency = llama3_frequency(rope, frequency);
        break;
      case RopeConfig::Scaling::yarn:
        frequency = yarn_frequency(rope, head_dim, i, frequency);
        break;
    }
    table.inverse_frequencies.push_back(static_cast<float>(frequency));
  }
  table.magnitude = rope_magnitude(rope);
  return table;
}

}  // namespace hearth
