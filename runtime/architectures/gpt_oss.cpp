// gpt-oss: attention sinks, a sliding window in every second layer, biases everywhere, experts with a clamped swiglu.
// Hugging Face files keep the rows of gate and up in turn, transposed.
#include "runtime/architectures/common_config.h"
#include "runtime/architectures/experts.h"
#include "runtime/architectures/families.h"

namespace hearth {
namespace {

constexpr HfKey kGptOssKeys[] = {{"attention_bias", true},
                                 {"head_dim", 64},
                                 {"hidden_act", "silu"},
                                 {"hidden_size", 2880},
                                 {"intermediate_size", 2880},
                                 {"layer_types", kNone},
                                 {"max_position_embeddings", 131'072},
                                 {"num_attention_heads", 64},
                                 {"num_experts", kNone},
                                 {"num_experts_per_tok", 4},
                                 {"num_hidden_layers", 36},
                                 {"num_key_value_heads", 8},
                                 {"num_local_experts", 128},
                                 {"rms_norm_eps", 1e-05},
                                 {"rope_parameters.beta_fast", 32.0},
                                 {"rope_parameters.beta_slow", 1.0},
                                 {"rope_parameters.factor", 32.0},
                                 {"rope_parameters.original_max_position_embeddings", 4096},
                                 {"rope_parameters.rope_type", "yarn"},
                                 {"rope_parameters.truncate", false},
                                 {"rope_theta", 150'000.0},
                                 {"sliding_window", 128},
                                 {"swiglu_alpha", 1.702},
                                 {"swiglu_limit", 7.0},
                                 {"tie_word_embeddings", false},
                                 {"vocab_size", 201'088}};

class GptOss final : public Architecture {
 public:
  std::string_view family() const override { return "gpt_oss"; }
  std::string_view hf_architecture() const override { return "GptOssForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kGptOssKeys; }
  std::string_view gguf_architecture() const override { return "gpt-oss"; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    ParameterTable t(c);
    t.embed();
    for (int l = 0; l < c.n_layers; ++l) {
      t.begin_layer(l);
      t.norm("attn_norm", "input_layernorm", "attn_norm");
      t.attention({.qkv_bias = c.attention_bias, .o_bias = c.attention_bias});
      t.weight("sinks", ParameterKind::bias, {c.n_heads}, {ParameterAxis::heads(c.n_heads, c.n_kv_heads, 1)},
               "self_attn.sinks", "attn_sinks.weight");
      t.norm("ffn_norm", "post_attention_layernorm", "post_attention_norm");
      experts(t, c);
    }
    return t.finish();
  }

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_hf(source, c));
    c.window = TRY(source.count("sliding_window"));
    c.layer_kinds = every_nth_full(c.n_layers, 2);
    TRY(read_layer_types_hf(source, c));
    TRY(check_window(source, c));
    c.moe.n_experts = TRY(source.count(source.has("num_experts") ? "num_experts" : "num_local_experts"));
    c.moe.d_ff = c.d_ff;
    c.moe.routing.n_chosen = TRY(source.count("num_experts_per_tok"));
    set_arithmetic(c);
    c.moe.swiglu.alpha = static_cast<float>(TRY(source.number("swiglu_alpha")));
    c.moe.swiglu.limit = static_cast<float>(TRY(source.number("swiglu_limit")));
    if (c.moe.swiglu.limit == 0) return error(Code::invalid_argument, "configuration key \"swiglu_limit\" is 0");
    return {};
  }
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_hf(c, sink);
    sink.remove("mlp_bias");
    sink.set("sliding_window", c.window);
    write_layer_types_hf(c, sink);
    sink.set("num_local_experts", c.moe.n_experts);
    sink.set("num_experts_per_tok", c.moe.routing.n_chosen);
    sink.set("experts_per_token", c.moe.routing.n_chosen);
    sink.set("swiglu_alpha", static_cast<double>(c.moe.swiglu.alpha));
    sink.set("swiglu_limit", static_cast<double>(c.moe.swiglu.limit));
  }

  // The form of the activation, and that the correction range of YaRN is not rounded, is not in such files.
  Result<void> read_gguf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_gguf(source, c));
    c.rope.truncate = false;
    c.window = TRY(source.count("attention.sliding_window"));
    c.layer_kinds = every_nth_full(c.n_layers, 2);
    TRY(read_experts_gguf(source, c));
    set_arithmetic(c);
    return {};
  }
  void write_gguf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_gguf(c, sink);
    sink.set("attention.sliding_window", c.window);
    write_experts_gguf(c, sink);
  }
  Result<void> fits_gguf(const ModelConfig& c) const override {
    ModelConfig usual = c;
    set_arithmetic(usual);
    if (c.layer_kinds == every_nth_full(c.n_layers, 2) && c.moe == usual.moe &&
        (c.rope.scaling != RopeConfig::Scaling::yarn || !c.rope.truncate))
      return {};
    return error(Code::unimplemented,
                 "GGUF files of this family have the published order of layers, activation and correction range only");
  }

 private:
  static void experts(ParameterTable& t, const ModelConfig& c) {
    const int64_t C = c.d_model, E = c.moe.n_experts, F = c.moe.d_ff;
    const std::string block = "mlp.experts.";
    t.matrix("router", {E, C}, {"", "model"}, "mlp.router", "ffn_gate_inp", true);
    for (const auto& [role, gguf, first] :
         {std::tuple{"experts_gate", "ffn_gate_exps", 0}, {"experts_up", "ffn_up_exps", 1}}) {
      t.weight(role, ParameterKind::matrix, {E, F, C}, {"expert", "ffn", "model"},
               Storage(block + "gate_up_proj").rows(first, 2 * F, 2).transposed(), std::string(gguf) + ".weight");
      t.weight(std::string(role) + "_bias", ParameterKind::bias, {E, F}, {"expert", "ffn"},
               Storage(block + "gate_up_proj_bias").rows(first, 2 * F, 2), std::string(gguf) + ".bias");
    }
    t.weight("experts_down", ParameterKind::matrix, {E, C, F}, {"expert", "model", "ffn"},
             Storage(block + "down_proj").transposed(), "ffn_down_exps.weight");
    t.weight("experts_down_bias", ParameterKind::bias, {E, C}, {"expert", "model"}, block + "down_proj_bias",
             "ffn_down_exps.bias");
  }

  static void set_arithmetic(ModelConfig& c) {
    c.moe.routing.scoring = Routing::Scoring::softmax;  // of the chosen, which is: of all, normalised
    c.moe.routing.normalise = true;
    c.moe.swiglu = {.alpha = 1.702f, .limit = 7, .offset = 1};
  }
};

}  // namespace

const Architecture& gpt_oss() {
  static const GptOss architecture;
  return architecture;
}

}  // namespace hearth
