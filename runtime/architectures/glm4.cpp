// GLM-4 (0414), dense: neighbours are rotated, over half of each head; norms before and after each block.
#include "runtime/architectures/common_config.h"
#include "runtime/architectures/families.h"
#include "runtime/architectures/parameter_table.h"
#include "runtime/architectures/rope_files.h"

namespace hearth {
namespace {

constexpr HfKey kGlm4Keys[] = {{"attention_bias", true},      {"head_dim", 128},
                               {"hidden_act", "silu"},        {"hidden_size", 4096},
                               {"intermediate_size", 13'696}, {"max_position_embeddings", 131'072},
                               {"num_attention_heads", 32},   {"num_hidden_layers", 40},
                               {"num_key_value_heads", 2},    {"partial_rotary_factor", 0.5},
                               {"rms_norm_eps", 1.5625e-07},  {"tie_word_embeddings", false},
                               {"vocab_size", 151'552}};

class Glm4 final : public Architecture {
 public:
  std::string_view family() const override { return "glm4"; }
  std::string_view hf_architecture() const override { return "Glm4ForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kGlm4Keys; }
  std::string_view gguf_architecture() const override { return "glm4"; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    ParameterTable t(c);
    t.embed();
    for (int l = 0; l < c.n_layers; ++l) {
      t.begin_layer(l);
      t.norm("attn_norm", "input_layernorm", "attn_norm");
      t.attention({.qkv_bias = c.attention_bias, .gguf_rope_rows = true, .hf_rope_rows = true});
      t.norm("attn_post_norm", "post_self_attn_layernorm", "post_attention_norm");
      t.norm("ffn_norm", "post_attention_layernorm", "ffn_norm");
      t.glu(/*hf_fused=*/true, /*gguf_fused=*/true);
      t.norm("ffn_post_norm", "post_mlp_layernorm", "post_ffw_norm");
    }
    return t.finish();
  }

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    using enum RopeConfig::Scaling;
    TRY(read_common_hf(source, c));
    return allow_scaling(c.rope, {none, linear, llama3, yarn, longrope});
  }
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_hf(c, sink);
    sink.remove("mlp_bias");
    if (c.rope.rotary_dim == 0) sink.set("rope_parameters.partial_rotary_factor", 1.0);
  }
};

}  // namespace

const Architecture& glm4() {
  static const Glm4 architecture;
  return architecture;
}

}  // namespace hearth
