// Seed-OSS: Llama with biases on queries, keys and values.
#include "runtime/architectures/common_config.h"
#include "runtime/architectures/families.h"
#include "runtime/architectures/parameter_table.h"

namespace hearth {
namespace {

constexpr HfKey kSeedOssKeys[] = {{"attention_bias", true},
                                  {"attention_out_bias", false, HfRule::only},
                                  {"head_dim", 128, HfRule::or_null},
                                  {"hidden_act", "silu"},
                                  {"hidden_size", 4096},
                                  {"intermediate_size", 27'648},
                                  {"max_position_embeddings", 524'288},
                                  {"mlp_bias", false},
                                  {"num_attention_heads", 80},
                                  {"num_hidden_layers", 64},
                                  {"num_key_value_heads", 8, HfRule::or_null},
                                  {"rms_norm_eps", 1e-06},
                                  {"tie_word_embeddings", false},
                                  {"vocab_size", 155'136}};

class SeedOss final : public Architecture {
 public:
  std::string_view family() const override { return "seed_oss"; }
  std::string_view hf_architecture() const override { return "SeedOssForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kSeedOssKeys; }
  std::string_view gguf_architecture() const override { return "seed_oss"; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    ParameterTable t(c);
    t.embed();
    for (int l = 0; l < c.n_layers; ++l) {
      t.begin_layer(l);
      t.norm("attn_norm", "input_layernorm", "attn_norm");
      t.attention({.qkv_bias = c.attention_bias});
      t.norm("ffn_norm", "post_attention_layernorm", "post_attention_norm");
      t.glu();
    }
    return t.finish();
  }

  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_hf(c, sink);
    sink.set("attention_out_bias", false);
  }
};

}  // namespace

const Architecture& seed_oss() {
  static const SeedOss architecture;
  return architecture;
}

}  // namespace hearth
