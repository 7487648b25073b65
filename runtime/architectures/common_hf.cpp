// The common keys of config.json.
#include <algorithm>

#include "runtime/architectures/common_config.h"
#include "runtime/architectures/rope_files.h"

namespace hearth {
namespace {

Result<void> read_sizes(const ConfigSource& source, ModelConfig& config) {
  config.n_layers = TRY(read_layer_count(source, "num_hidden_layers"));
  config.d_model = TRY(source.count("hidden_size"));
  config.n_heads = TRY(source.count("num_attention_heads"));
  config.n_kv_heads = TRY(source.count_or("num_key_value_heads", config.n_heads));
  config.d_ff = TRY(source.count_or("intermediate_size", 0));
  config.vocab_size = TRY(source.count("vocab_size"));
  config.max_seq_len = TRY(source.count("max_position_embeddings"));
  if (config.n_heads <= 0)
    return error(Code::invalid_argument, "configuration key \"num_attention_heads\" must be positive");
  config.head_dim = TRY(source.count_or("head_dim", config.d_model / config.n_heads));
  return {};
}

std::string layer_type(LayerKind kind) {
  switch (kind) {
    case LayerKind::full:
      return "full_attention";
    case LayerKind::sliding:
      return "sliding_attention";
    case LayerKind::linear:
      return "linear_attention";
  }
  return "full_attention";
}

}  // namespace

Result<int> read_layer_count(const ConfigSource& source, std::string_view key) {
  const int n = TRY(source.count(key));
  if (n >= 1 && n <= kMostLayers) return n;
  return error(Code::invalid_argument, "configuration key \"{}\" is {}, must be 1 to {}", key, n, kMostLayers);
}

Result<Activation> read_activation_hf(const ConfigSource& source, std::string_view key) {
  const std::string name = TRY(source.string(key));
  if (name == "silu" || name == "swish") return Activation::silu;
  if (name == "gelu") return Activation::gelu;
  if (name == "gelu_pytorch_tanh" || name == "gelu_new") return Activation::gelu_tanh;
  return error(Code::unimplemented, "{} \"{}\" is not supported yet (silu, gelu and gelu_pytorch_tanh are)", key,
               name.substr(0, 40));
}

std::string activation_hf(Activation activation) {
  switch (activation) {
    case Activation::silu:
      return "silu";
    case Activation::gelu:
      return "gelu";
    case Activation::gelu_tanh:
      return "gelu_pytorch_tanh";
  }
  return "silu";
}

Result<void> read_common_hf(const ConfigSource& source, ModelConfig& config) {
  TRY(read_sizes(source, config));
  config.norm_eps = TRY(source.number_or("rms_norm_eps", config.norm_eps));
  config.init_std = TRY(source.number_or("initializer_range", config.init_std));
  config.tied_embeddings = TRY(source.boolean("tie_word_embeddings"));
  config.attention_bias = TRY(source.boolean_or("attention_bias", false));
  config.mlp_bias = TRY(source.boolean_or("mlp_bias", false));
  if (source.has("hidden_act")) config.activation = TRY(read_activation_hf(source, "hidden_act"));
  config.rope = TRY(read_rope_hf(source, config));
  return {};
}

void write_common_hf(const ModelConfig& config, ConfigSink& sink) {
  sink.set("num_hidden_layers", config.n_layers);
  sink.set("hidden_size", config.d_model);
  sink.set("num_attention_heads", config.n_heads);
  sink.set("num_key_value_heads", config.n_kv_heads);
  sink.set("head_dim", config.head_dim);
  sink.set("intermediate_size", config.d_ff);
  sink.set("vocab_size", config.vocab_size);
  sink.set("max_position_embeddings", config.max_seq_len);
  sink.set("rms_norm_eps", config.norm_eps);
  sink.set("initializer_range", config.init_std);
  sink.set("hidden_act", activation_hf(config.activation));
  sink.set("tie_word_embeddings", config.tied_embeddings);
  sink.set("attention_bias", config.attention_bias);
  sink.set("mlp_bias", config.mlp_bias);
  write_rope_hf(config.rope, config, sink);
}

Result<void> read_layer_types_hf(const ConfigSource& source, ModelConfig& config) {
  if (!source.has("layer_types")) return {};
  config.layer_kinds.clear();
  for (const std::string& type : TRY(source.strings("layer_types"))) {
    if (type == "linear_attention" && config.recurrent.n_v_heads > 0) {
      config.layer_kinds.push_back(LayerKind::linear);
      continue;
    }
    if (type != "full_attention" && type != "sliding_attention")
      return error(Code::unimplemented, "layers of the type \"{}\" are not supported for this family",
                   type.substr(0, 40));
    config.layer_kinds.push_back(type == "full_attention" ? LayerKind::full : LayerKind::sliding);
  }
  return {};
}

void write_layer_types_hf(const ModelConfig& config, ConfigSink& sink) {
  if (config.layer_kinds.empty()) return;
  std::vector<std::string> types;
  for (const LayerKind kind : config.layer_kinds) types.push_back(layer_type(kind));
  sink.set("layer_types", std::move(types));
}

Result<void> read_window_everywhere(const ConfigSource& source, std::string_view key, ModelConfig& config) {
  const int window = source.has(key) ? TRY(source.count(key)) : 0;
  if (window == 0 && source.has(key)) return error(Code::invalid_argument, "configuration key \"{}\" is 0", key);
  set_window_everywhere(window, config);
  return {};
}

void set_window_everywhere(int window, ModelConfig& config) {
  config.window = window < config.max_seq_len ? window : 0;
  config.layer_kinds.clear();
  if (config.window > 0) config.layer_kinds = every_nth_full(config.n_layers, 0);
}

Result<double> read_softcap(const ConfigSource& source, std::string_view key) {
  if (!source.has(key)) return 0.0;
  const double cap = TRY(source.number(key));
  if (cap > 0) return cap;
  return error(Code::invalid_argument, "configuration key \"{}\" must be positive or null, got {}", key, cap);
}

Result<void> check_window(const ConfigSource& source, const ModelConfig& config) {
  const auto& kinds = config.layer_kinds;
  if (std::find(kinds.begin(), kinds.end(), LayerKind::sliding) == kinds.end()) return {};
  if (config.window > 0) return {};
  return error(Code::invalid_argument, "some layers have a window, and sliding_window is {}",
               source.has("sliding_window") ? "0 or not used" : "not given");
}

void forget_unused_window(ModelConfig& config) {
  const bool is_plain = std::all_of(config.layer_kinds.begin(), config.layer_kinds.end(),
                                    [](LayerKind kind) { return kind == LayerKind::full; });
  if (!is_plain || config.layer_kinds.size() != static_cast<size_t>(config.n_layers)) return;
  config.layer_kinds.clear();
  config.window = 0;
}

Result<void> read_window_hf(const ConfigSource& source, ModelConfig& config) {
  if (TRY(source.boolean("use_sliding_window"))) config.window = TRY(source.count_or("sliding_window", 0));
  if (config.window > 0) {
    const int n_full = TRY(source.count("max_window_layers"));
    config.layer_kinds = every_nth_full(config.n_layers, 0);
    for (size_t l = 0; l < config.layer_kinds.size() && l < static_cast<size_t>(n_full); ++l)
      config.layer_kinds[l] = LayerKind::full;
  }
  TRY(read_layer_types_hf(source, config));
  TRY(check_window(source, config));
  forget_unused_window(config);
  return {};
}

void write_window_hf(const ModelConfig& config, ConfigSink& sink) {
  sink.set("use_sliding_window", config.window > 0);
  if (config.window > 0) sink.set("sliding_window", config.window);
  write_layer_types_hf(config, sink);
}

std::vector<LayerKind> every_nth_full(int n_layers, int n) {
  std::vector<LayerKind> out;
  for (int l = 0; l < std::min(n_layers, kMostLayers); ++l)
    out.push_back(n > 0 && (l + 1) % n == 0 ? LayerKind::full : LayerKind::sliding);
  return out;
}

}  // namespace hearth
