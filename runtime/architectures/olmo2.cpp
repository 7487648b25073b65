// OLMo 2: norms after each block instead of before, and over all queries and all keys.
#include "runtime/architectures/common_config.h"
#include "runtime/architectures/families.h"
#include "runtime/architectures/parameter_table.h"

namespace hearth {
namespace {

constexpr HfKey kOlmo2Keys[] = {{"attention_bias", false},
                                {"hidden_act", "silu"},
                                {"hidden_size", 4096},
                                {"intermediate_size", 11'008},
                                {"max_position_embeddings", 2048},
                                {"num_attention_heads", 32},
                                {"num_hidden_layers", 32},
                                {"num_key_value_heads", kNone},
                                {"rms_norm_eps", 1e-05},
                                {"tie_word_embeddings", false},
                                {"vocab_size", 50'304}};

class Olmo2 final : public Architecture {
 public:
  std::string_view family() const override { return "olmo2"; }
  std::string_view hf_architecture() const override { return "Olmo2ForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kOlmo2Keys; }
  std::string_view gguf_architecture() const override { return "olmo2"; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    ParameterTable t(c);
    t.embed();
    for (int l = 0; l < c.n_layers; ++l) {
      t.begin_layer(l);
      t.attention({.qkv_bias = c.attention_bias, .o_bias = c.attention_bias});
      t.qk_norm(int64_t{c.n_heads} * c.head_dim, int64_t{c.n_kv_heads} * c.head_dim);
      t.norm("attn_post_norm", "post_attention_layernorm", "post_attention_norm");
      t.glu();
      t.norm("ffn_post_norm", "post_feedforward_layernorm", "post_ffw_norm");
    }
    return t.finish();
  }
};

}  // namespace

const Architecture& olmo2() {
  static const Olmo2 architecture;
  return architecture;
}

}  // namespace hearth
