// Seed-OSS: Llama with biases on queries, keys and values.
#include "runtime/architectures/common_config.h"
#include "runtime/architectures/families.h"
#include "runtime/architectures/parameter_table.h"

namespace hearth {
namespace {

class SeedOss final : public Architecture {
 public:
  std::string_view family() const override { return "seed_oss"; }
  std::string_view hf_architecture() const override { return "SeedOssForCausalLM"; }
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

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    c.head_dim = 128;  // where the file does not say
    c.attention_bias = true;
    TRY(source.expect("attention_out_bias", false));
    return read_common_hf(source, c);
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
