// Gemma 2: norms before and after each block, capped scores and logits, every second layer sliding.
#include <cmath>

#include "runtime/architectures/common_config.h"
#include "runtime/architectures/families.h"
#include "runtime/architectures/parameter_table.h"

namespace hearth {
namespace {

constexpr HfKey kGemma2Keys[] = {{"attention_bias", false},
                                 {"attn_logit_softcapping", 50.0, HfRule::or_null},
                                 {"final_logit_softcapping", 30.0, HfRule::or_null},
                                 {"head_dim", 256},
                                 {"hidden_activation", "gelu_pytorch_tanh"},
                                 {"hidden_size", 2304},
                                 {"intermediate_size", 9216},
                                 {"layer_types", kNone},
                                 {"max_position_embeddings", 8192},
                                 {"num_attention_heads", 8},
                                 {"num_hidden_layers", 26},
                                 {"num_key_value_heads", 4},
                                 {"query_pre_attn_scalar", 256},
                                 {"rms_norm_eps", 1e-06},
                                 {"sliding_window", 4096},
                                 {"tie_word_embeddings", true},
                                 {"use_bidirectional_attention", kNone},
                                 {"vocab_size", 256'000}};

class Gemma2 final : public Architecture {
 public:
  std::string_view family() const override { return "gemma2"; }
  std::string_view hf_architecture() const override { return "Gemma2ForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kGemma2Keys; }
  std::string_view gguf_architecture() const override { return "gemma2"; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    ParameterTable t(c);
    t.set_hf_norm_offset(1);
    t.embed();
    for (int l = 0; l < c.n_layers; ++l) {
      t.begin_layer(l);
      t.norm("attn_norm", "input_layernorm", "attn_norm");
      t.attention({.qkv_bias = c.attention_bias, .o_bias = c.attention_bias});
      t.norm("attn_post_norm", "post_attention_layernorm", "post_attention_norm");
      t.norm("ffn_norm", "pre_feedforward_layernorm", "ffn_norm");
      t.glu();
      t.norm("ffn_post_norm", "post_feedforward_layernorm", "post_ffw_norm");
    }
    return t.finish();
  }

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_hf(source, c));
    c.activation = TRY(read_activation_hf(source, "hidden_activation"));
    c.window = TRY(source.count("sliding_window"));
    c.layer_kinds = every_nth_full(c.n_layers, 2);
    TRY(read_layer_types_hf(source, c));
    TRY(check_window(source, c));
    TRY(source.expect("use_bidirectional_attention", false));
    c.attention_softcap = TRY(read_softcap(source, "attn_logit_softcapping"));
    c.logit_softcap = TRY(read_softcap(source, "final_logit_softcapping"));
    const double query_scalar = TRY(source.number("query_pre_attn_scalar"));
    if (!(query_scalar > 0))
      return error(Code::invalid_argument, "query_pre_attn_scalar must be positive, got {}", query_scalar);
    set_scales(query_scalar, c);
    return {};
  }
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_hf(c, sink);
    sink.remove("mlp_bias");
    sink.set("hidden_activation", activation_hf(c.activation));
    sink.set("sliding_window", c.window);
    write_layer_types_hf(c, sink);
    sink.set_or_null("attn_logit_softcapping", c.attention_softcap);
    sink.set_or_null("final_logit_softcapping", c.logit_softcap);
    sink.set("query_pre_attn_scalar", static_cast<int64_t>(std::lround(1 / (c.scale.attention * c.scale.attention))));
  }
  Result<void> read_gguf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_gguf(source, c));
    c.activation = Activation::gelu_tanh;
    c.window = TRY(source.count_or("attention.sliding_window", 4096));
    c.layer_kinds = every_nth_full(c.n_layers, 2);
    c.attention_softcap = TRY(source.number_or("attn_logit_softcapping", 50));
    c.logit_softcap = TRY(source.number_or("final_logit_softcapping", 30));
    set_scales(gguf_query_scalar(c), c);
    return {};
  }
  void write_gguf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_gguf(c, sink);
    sink.set("attention.sliding_window", c.window);
    sink.set("attn_logit_softcapping", c.attention_softcap);
    sink.set("final_logit_softcapping", c.logit_softcap);
  }
  Result<void> fits_gguf(const ModelConfig& c) const override {
    const bool same_scale = std::abs(c.scale.attention * std::sqrt(gguf_query_scalar(c)) - 1) < 1e-6;
    if (same_scale && c.layer_kinds == every_nth_full(c.n_layers, 2)) return {};
    return error(Code::unimplemented,
                 "GGUF files of this family have every second layer sliding, and the usual scale of scores");
  }

 private:
  static void set_scales(double query_scalar, ModelConfig& c) {
    c.scale.embedding = std::sqrt(static_cast<double>(c.d_model));
    c.scale.attention = 1 / std::sqrt(query_scalar);
  }
  // GGUF files do not say; the 27B model, which has 46 layers, is the exception.
  static double gguf_query_scalar(const ModelConfig& c) {
    return c.n_layers == 46 ? static_cast<double>(c.d_model) / c.n_heads : c.head_dim;
  }
};

}  // namespace

const Architecture& gemma2() {
  static const Gemma2 architecture;
  return architecture;
}

}  // namespace hearth
