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

// LongRoPE (Ding et al. 2024): cos and sin grow with the logarithm of the extension.
double longrope_magnitude(const RopeConfig& rope) {
  return rope.factor <= 1 ? 1.0 : std::sqrt(1 + std::log(rope.factor) / std::log(rope.original_max_seq_len));
}

float rope_magnitude(const RopeConfig& rope) {
  using enum RopeConfig::Scaling;
  if (rope.scaling != yarn && rope.scaling != longrope) return 1;
  if (rope.attention_factor > 0) return static_cast<float>(rope.attention_factor);
  if (rope.scaling == longrope) return static_cast<float>(longrope_magnitude(rope));
  if (rope.mscale > 0 && rope.mscale_all_dim > 0)
    return static_cast<float>(yarn_magnitude(rope.factor, rope.mscale) /
                              yarn_magnitude(rope.factor, rope.mscale_all_dim));
  return static_cast<float>(yarn_magnitude(rope.factor, 1));
}

Result<void> check_layers(const char* name, size_t n, int n_layers) {
  if (n == 0 || n == static_cast<size_t>(n_layers)) return {};
  return error(Code::invalid_argument, "model config: {} must have one entry for each of {} layers, got {}", name,
               n_layers, n);
}

Result<void> validate_longrope(const RopeConfig& rope, int n_frequencies) {
  for (const auto* factors : {&rope.short_factors, &rope.long_factors}) {
    if (factors->size() != static_cast<size_t>(n_frequencies))
      return error(Code::invalid_argument, "model config: longrope needs {} short and long factors, got {}",
                   n_frequencies, factors->size());
    for (const double factor : *factors) TRY(check_number("a longrope factor", factor, 1e-3, 1e6));
  }
  return check_range("rope scaling original_max_position_embeddings", rope.original_max_seq_len, 2, 1 << 24);
}

Result<void> validate_rope(const RopeConfig& rope, int head_dim) {
  using enum RopeConfig::Scaling;
  TRY(check_number("rope_theta", rope.theta, 1e-3, 1e12));
  TRY(check_number("rope scaling factor", rope.factor, 1e-3, 1e6));
  TRY(check_range("the number of rotated dimensions", rope.rotary_dim, 0, head_dim));
  if (rope.rotary_dim % 2 != 0)
    return error(Code::invalid_argument, "model config: an even number of dimensions must be rotated, got {}",
                 rope.rotary_dim);
  if (rope.scaling == llama3 || rope.scaling == yarn)
    TRY(check_range("rope scaling original_max_position_embeddings", rope.original_max_seq_len, 1, 1 << 24));
  if (rope.scaling == llama3 && !(rope.high_freq_factor > rope.low_freq_factor && rope.low_freq_factor > 0))
    return error(Code::invalid_argument,
                 "model config: rope scaling needs 0 < low_freq_factor < high_freq_factor, got {} and {}",
                 rope.low_freq_factor, rope.high_freq_factor);
  if (rope.scaling == yarn && rope.theta <= 1)
    return error(Code::invalid_argument, "model config: yarn needs rope_theta above 1, got {}", rope.theta);
  if (rope.scaling == longrope) TRY(validate_longrope(rope, (rope.rotary_dim > 0 ? rope.rotary_dim : head_dim) / 2));
  return {};
}

Result<void> validate_recurrent(const ModelConfig& c) {
  const RecurrentConfig& r = c.recurrent;
  const bool has_layers =
      std::find(c.layer_kinds.begin(), c.layer_kinds.end(), LayerKind::linear) != c.layer_kinds.end();
  if (!has_layers && r.n_v_heads == 0) return {};
  TRY(check_range("the number of key heads of linear layers", r.n_k_heads, 1, 4096));
  TRY(check_range("the number of value heads of linear layers", r.n_v_heads, r.n_k_heads, 4096));
  TRY(check_range("the key width of linear layers", r.k_dim, 1, 1024));
  TRY(check_range("the value width of linear layers", r.v_dim, 1, 1024));
  TRY(check_range("the width of the convolution", r.conv_width, 2, 16));
  TRY(check_number("the smallest step", r.min_step, 0, 1e6));
  TRY(check_number("the largest step", r.max_step, 0, 1e30));
  if (r.n_v_heads % r.n_k_heads == 0) return {};
  return error(Code::invalid_argument,
               "model config: the value heads of linear layers must be a multiple of their key heads, got {} and {}",
               r.n_v_heads, r.n_k_heads);
}

Result<void> validate_scale(const ScaleConfig& scale) {
  for (const double factor : {scale.embedding, scale.residual, scale.logits})
    TRY(check_number("a multiplier", factor, -1e6, 1e6));
  TRY(check_number("the attention multiplier", scale.attention, 0, 1e6));
  TRY(check_number("llama_4_scaling_beta", scale.query_beta, 0, 1e3));
  if (scale.query_beta > 0) TRY(check_range("the period of query scaling", scale.query_period, 1, 1 << 24));
  return {};
}

}  // namespace

namespace {

Result<void> validate_experts(const MoeConfig& moe, int n_layers) {
  TRY(check_range("the number of experts", moe.n_experts, 0, kMaxExperts));
  TRY(check_layers("the list of layers without experts", moe.dense_layers.size(), n_layers));
  if (moe.n_experts == 0) return {};
  const Routing& routing = moe.routing;
  TRY(check_range("the width of an expert", moe.d_ff, 1, 1 << 20));
  TRY(check_range("the width of the shared expert", moe.d_ff_shared, 0, 1 << 20));
  TRY(check_range("the number of expert groups", routing.n_groups, 1, kMaxExpertGroups));
  TRY(check_range("the number of chosen groups", routing.n_chosen_groups, 1, routing.n_groups));
  if (moe.n_experts % routing.n_groups != 0)
    return error(Code::invalid_argument, "model config: {} experts cannot be divided into {} groups", moe.n_experts,
                 routing.n_groups);
  TRY(check_range("the number of experts per token", routing.n_chosen, 1,
                  moe.n_experts / routing.n_groups * routing.n_chosen_groups));
  TRY(check_number("the factor of the router's weights", routing.scale, 1e-6, 1e6));
  TRY(check_number("the limit of the clamped activation", moe.swiglu.limit, 0, 1e6));
  return check_number("the slope of the clamped activation", moe.swiglu.alpha, -1e3, 1e3);
}

Result<void> validate_latent_attention(const MlaConfig& mla) {
  TRY(check_range("the rank of keys and values", mla.kv_rank, 0, 1 << 16));
  if (mla.kv_rank == 0) return {};
  TRY(check_range("the rank of queries", mla.q_rank, 0, 1 << 16));
  TRY(check_range("the rotated part of a head", mla.rope_dim, 2, 4096));
  TRY(check_range("the part of a head that is not rotated", mla.nope_dim, 1, 4096));
  TRY(check_range("the value of a head", mla.value_dim, 1, 4096));
  return {};
}

}  // namespace

Result<void> validate(const ModelConfig& c) {
  TRY(check_range("n_layers", c.n_layers, 1, kMostLayers));
  TRY(check_range("d_model", c.d_model, 1, 1 << 18));
  TRY(check_range("n_heads", c.n_heads, 1, 4096));
  TRY(check_range("n_kv_heads", c.n_kv_heads, 1, c.n_heads));
  TRY(check_range("head_dim", c.head_dim, 2, 4096));
  TRY(check_range("d_ff", c.d_ff, 1, 1 << 20));
  TRY(check_range("vocab_size", c.vocab_size, 1, 1 << 22));
  TRY(check_range("max_seq_len", c.max_seq_len, 1, 1 << 24));
  TRY(check_number("norm_eps", c.norm_eps, 0, 1));
  if (c.n_heads % c.n_kv_heads != 0)
    return error(Code::invalid_argument, "model config: n_heads must be a multiple of n_kv_heads, got {} and {}",
                 c.n_heads, c.n_kv_heads);
  if (c.head_dim % 2 != 0)
    return error(Code::invalid_argument, "model config: head_dim must be even, got {}", c.head_dim);
  TRY(validate_rope(c.rope, c.head_dim));
  TRY(check_range("sliding_head_dim", c.sliding_head_dim, 0, 4096));
  TRY(check_range("sliding_kv_heads", c.sliding_kv_heads, 0, c.n_heads));
  if (c.sliding_head_dim % 2 != 0 || (c.sliding_kv_heads > 0 && c.n_heads % c.sliding_kv_heads != 0))
    return error(Code::invalid_argument, "model config: {} heads cannot have {} key heads of {} in sliding layers",
                 c.n_heads, c.sliding_kv_heads, c.sliding_head_dim);
  if (c.sliding_rope) TRY(validate_rope(*c.sliding_rope, c.sliding_head_dim > 0 ? c.sliding_head_dim : c.head_dim));
  TRY(check_layers("the list of layer kinds", c.layer_kinds.size(), c.n_layers));
  TRY(check_layers("the list of layers without positions", c.layers_without_rope.size(), c.n_layers));
  const bool slides = std::find(c.layer_kinds.begin(), c.layer_kinds.end(), LayerKind::sliding) != c.layer_kinds.end();
  TRY(check_range("the number of layers that share keys and values", c.kv_sharing.n_layers, 0, c.n_layers - 1));
  for (int l = 0; l < c.n_layers; ++l)
    if (c.layer_kind(c.kv_layer_of(l)) != c.layer_kind(l))
      return error(Code::invalid_argument, "model config: layer {} has no layer of its kind to share keys with", l);
  TRY(check_range("the width of inputs for each layer", c.per_layer_input.width, 0, 1 << 14));
  TRY(check_range("the vocabulary of inputs for each layer", c.per_layer_input.vocab_size,
                  c.per_layer_input.width > 0 ? 1 : 0, 1 << 22));
  TRY(check_range("the sliding window", c.window, slides ? 1 : 0, 1 << 24));
  TRY(check_range("the number of token types", c.encoder.n_token_types, 0, 1 << 16));
  TRY(check_number("attention_softcap", c.attention_softcap, 0, 1e6));
  TRY(check_number("logit_softcap", c.logit_softcap, 0, 1e6));
  TRY(validate_experts(c.moe, c.n_layers));
  TRY(validate_latent_attention(c.mla));
  TRY(validate_recurrent(c));
  return validate_scale(c.scale);
}

int ModelConfig::kv_layer_of(int layer) const {
  const int n_own = n_layers - kv_sharing.n_layers;
  if (layer < n_own) return layer;
  int source = n_own - 1;
  while (source > 0 && layer_kind(source) != layer_kind(layer)) --source;
  return source;
}

float ModelConfig::attention_scale() const {
  return static_cast<float>(scale.attention > 0 ? scale.attention : 1 / std::sqrt(static_cast<double>(head_dim)));
}

ModelConfig ModelConfig::with_layers(int n) const {
  ModelConfig out = *this;
  out.n_layers = std::min(n, n_layers);
  out.kv_sharing.n_layers = 0;
  auto cut = [&](auto& list) {
    if (!list.empty()) list.resize(static_cast<size_t>(out.n_layers));
  };
  cut(out.layer_kinds);
  cut(out.layers_without_rope);
  cut(out.moe.dense_layers);
  return out;
}

RopeTable rope_table(const RopeConfig& rope, int head_dim, int max_seq_len) {
  RopeTable table;
  const int rotary_dim = rope.rotary_dim > 0 ? rope.rotary_dim : head_dim;
  // Proportional: the frequencies are those of the whole head, and dimensions beyond rotary_dim stand still.
  const bool is_proportional = rope.scaling == RopeConfig::Scaling::proportional;
  const int period = is_proportional ? head_dim : rotary_dim;
  const auto& factors = max_seq_len > rope.original_max_seq_len ? rope.long_factors : rope.short_factors;
  for (int i = 0; i < period / 2; ++i) {
    double frequency = std::pow(rope.theta, -2.0 * i / period);
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
        frequency = yarn_frequency(rope, rotary_dim, i, frequency);
        break;
      case RopeConfig::Scaling::longrope:
        frequency /= factors[static_cast<size_t>(i)];
        break;
      case RopeConfig::Scaling::proportional:
        frequency = i < rotary_dim / 2 ? frequency / rope.factor : 0;
        break;
    }
    table.inverse_frequencies.push_back(static_cast<float>(frequency));
  }
  table.magnitude = rope_magnitude(rope);
  return table;
}

}  // namespace hearth
