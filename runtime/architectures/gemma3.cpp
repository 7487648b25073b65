// Gemma 3, text: as Gemma 2 with queries and keys normed per head instead of capped, five sliding layers to one full,
// and positions of their own in each kind.
#include <cmath>

#include "runtime/architectures/common_config.h"
#include "runtime/architectures/families.h"
#include "runtime/architectures/parameter_table.h"
#include "runtime/architectures/rope_files.h"

namespace hearth {
namespace {

constexpr HfKey kGemma3Keys[] = {{"attention_bias", false},
                                 {"attn_logit_softcapping", kNone, HfRule::only},
                                 {"final_logit_softcapping", kNone},
                                 {"head_dim", 256},
                                 {"hidden_activation", "gelu_pytorch_tanh"},
                                 {"hidden_size", 2304},
                                 {"intermediate_size", 9216},
                                 {"layer_types", kNone},
                                 {"max_position_embeddings", 131'072},
                                 {"num_attention_heads", 8},
                                 {"num_hidden_layers", 26},
                                 {"num_key_value_heads", 4},
                                 {"query_pre_attn_scalar", 256},
                                 {"rms_norm_eps", 1e-06},
                                 {"rope_local_base_freq", 10'000.0},
                                 {"rope_theta", 1'000'000.0},
                                 {"sliding_window", 4096},
                                 {"sliding_window_pattern", 6},
                                 {"tie_word_embeddings", true},
                                 {"use_bidirectional_attention", false, HfRule::or_null},
                                 {"vocab_size", 262'208}};

class Gemma3 final : public Architecture {
 public:
  std::string_view family() const override { return "gemma3_text"; }
  std::string_view hf_architecture() const override { return "Gemma3ForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kGemma3Keys; }
  std::string_view gguf_architecture() const override { return "gemma3"; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    ParameterTable t(c);
    t.set_hf_norm_offset(1);
    t.embed();
    for (int l = 0; l < c.n_layers; ++l) {
      t.begin_layer(l);
      t.norm("attn_norm", "input_layernorm", "attn_norm");
      t.attention({.qkv_bias = c.attention_bias, .o_bias = c.attention_bias});
      t.qk_norm();
      t.norm("attn_post_norm", "post_attention_layernorm", "post_attention_norm");
      t.norm("ffn_norm", "pre_feedforward_layernorm", "ffn_norm");
      t.glu();
      t.norm("ffn_post_norm", "post_feedforward_layernorm", "post_ffw_norm");
    }
    return t.finish();
  }

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_hf(source, c));
    TRY(read_ropes_hf(source, c));
    c.activation = TRY(read_activation_hf(source, "hidden_activation"));
    c.window = TRY(source.count("sliding_window"));
    const int pattern = TRY(source.count("sliding_window_pattern"));
    if (pattern == 0 && !source.has("layer_types"))
      return error(Code::invalid_argument, "configuration key \"sliding_window_pattern\" is 0");
    c.layer_kinds = every_nth_full(c.n_layers, pattern);
    TRY(read_layer_types_hf(source, c));
    TRY(check_window(source, c));
    TRY(source.expect("use_bidirectional_attention", false));
    c.logit_softcap = TRY(read_softcap(source, "final_logit_softcapping"));
    const double query_scalar = TRY(source.number("query_pre_attn_scalar"));
    if (!(query_scalar > 0))
      return error(Code::invalid_argument, "query_pre_attn_scalar must be positive, got {}", query_scalar);
    set_scales(query_scalar, c);
    return {};
  }
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_hf(c, sink);
    for (const char* key : {"mlp_bias", "rope_parameters", "partial_rotary_factor"}) sink.remove(key);
    write_rope_hf(c.rope, c, sink, "rope_parameters.full_attention");
    write_rope_hf(*c.sliding_rope, c, sink, "rope_parameters.sliding_attention");
    sink.set("rope_local_base_freq", c.sliding_rope->theta);
    sink.set("hidden_activation", activation_hf(c.activation));
    sink.set("sliding_window", c.window);
    write_layer_types_hf(c, sink);
    if (c.logit_softcap > 0) sink.set("final_logit_softcapping", c.logit_softcap);
    sink.set("query_pre_attn_scalar", static_cast<int64_t>(std::lround(1 / (c.scale.attention * c.scale.attention))));
  }
  Result<void> read_gguf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_gguf(source, c));
    c.activation = Activation::gelu_tanh;
    c.window = TRY(source.count_or("attention.sliding_window", 0));
    if (c.window > 0) c.layer_kinds = every_nth_full(c.n_layers, kPattern);
    c.sliding_rope.emplace().theta = TRY(source.number_or("rope.freq_base_swa", 10000));
    c.logit_softcap = TRY(source.number_or("final_logit_softcapping", 0));
    set_scales(gguf_query_scalar(c), c);
    return {};
  }
  void write_gguf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_gguf(c, sink);
    sink.set("attention.sliding_window", c.window);
    sink.set("rope.freq_base_swa", c.sliding_rope->theta);
    if (c.logit_softcap > 0) sink.set("final_logit_softcapping", c.logit_softcap);
  }
  Result<void> fits_gguf(const ModelConfig& c) const override {
    RopeConfig plain;
    plain.theta = c.sliding_rope->theta;
    const bool same_scale = std::abs(c.scale.attention * std::sqrt(gguf_query_scalar(c)) - 1) < 1e-6;
    if (same_scale && c.layer_kinds == every_nth_full(c.n_layers, kPattern) && *c.sliding_rope == plain) return {};
    return error(Code::unimplemented,
                 "GGUF files of this family have five sliding layers to one full, plain positions in sliding layers, "
                 "and the usual scale of scores");
  }

 private:
  static constexpr int kPattern = 6;
  static void set_scales(double query_scalar, ModelConfig& c) {
    c.scale.embedding = std::sqrt(static_cast<double>(c.d_model));
    c.scale.attention = 1 / std::sqrt(query_scalar);
  }
  // GGUF files do not say; the 27B model, which has 62 layers, is the exception.
  static double gguf_query_scalar(const ModelConfig& c) {
    return c.n_layers == 62 ? static_cast<double>(c.d_model) / c.n_heads : c.head_dim;
  }
  // Newer files have one object for each kind of layer, older ones rope_scaling for full layers and two bases.
  static Result<void> read_ropes_hf(const ConfigSource& source, ModelConfig& c) {
    TRY(refuse_flat_rope(source));
    if (source.has("rope_scaling.type") && !source.has("rope_scaling.rope_type"))  // which the library does not look at
      return error(Code::unimplemented, "rope_scaling must say rope_type, not type, in models of this family");
    const std::string full = "rope_parameters.full_attention", sliding = "rope_parameters.sliding_attention";
    for (const std::string& block : {full, sliding}) TRY(has_block(source, block));
    c.rope = TRY(read_rope_hf(source, c, {.blocks = {"rope_scaling", full}, .is_nested = true}));
    c.sliding_rope =
        TRY(read_rope_hf(source, c, {.blocks = {sliding}, .theta_key = "rope_local_base_freq", .is_nested = true}));
    return {};
  }
  // One object for both kinds of layers is not looked at by the library.
  static Result<void> refuse_flat_rope(const ConfigSource& source) {
    size_t n_kinds = 0;
    for (const char* kind : {"full_attention", "sliding_attention"}) {
      const std::string key = std::string("rope_parameters.") + kind;
      n_kinds += source.has(key) || source.is_null(key);
    }
    if (source.object_size("rope_parameters") == n_kinds) return {};
    return error(Code::unimplemented,
                 "rope_parameters must have an object for full_attention and one for sliding_attention, and no others");
  }
};

}  // namespace

const Architecture& gemma3() {
  static const Gemma3 architecture;
  return architecture;
}

}  // namespace hearth
