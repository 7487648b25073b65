// Qwen 3, dense: queries and keys are normed per head before they are rotated.
#include "runtime/architectures/common_config.h"
#include "runtime/architectures/families.h"
#include "runtime/architectures/parameter_table.h"

namespace hearth {
namespace {

constexpr HfKey kQwen3Keys[] = {{"attention_bias", false},
                                {"head_dim", 128},
                                {"hidden_act", "silu"},
                                {"hidden_size", 4096},
                                {"intermediate_size", 22'016},
                                {"layer_types", kNone},
                                {"max_position_embeddings", 32'768},
                                {"max_window_layers", 28},
                                {"num_attention_heads", 32},
                                {"num_hidden_layers", 32},
                                {"num_key_value_heads", 32, HfRule::or_null},
                                {"rms_norm_eps", 1e-06},
                                {"sliding_window", 4096, HfRule::or_null},
                                {"tie_word_embeddings", false},
                                {"use_sliding_window", false},
                                {"vocab_size", 151'936}};

class Qwen3 final : public Architecture {
 public:
  std::string_view family() const override { return "qwen3"; }
  std::string_view hf_architecture() const override { return "Qwen3ForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kQwen3Keys; }
  std::string_view gguf_architecture() const override { return "qwen3"; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    ParameterTable t(c);
    t.embed();
    for (int l = 0; l < c.n_layers; ++l) {
      t.begin_layer(l);
      t.norm("attn_norm", "input_layernorm", "attn_norm");
      t.attention({.qkv_bias = c.attention_bias, .o_bias = c.attention_bias});
      t.qk_norm();
      t.norm("ffn_norm", "post_attention_layernorm", "ffn_norm");
      t.glu();
    }
    return t.finish();
  }

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_hf(source, c));
    return read_window_hf(source, c);
  }
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_hf(c, sink);
    sink.remove("mlp_bias");
    write_window_hf(c, sink);
  }
  Result<void> fits_gguf(const ModelConfig& c) const override {
    if (c.window == 0) return {};
    return error(Code::unimplemented, "GGUF files cannot say which layers of this model have a window");
  }
};

}  // namespace

const Architecture& qwen3() {
  static const Qwen3 architecture;
  return architecture;
}

}  // namespace hearth
