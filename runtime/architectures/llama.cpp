// Llama 2 and 3: pre-norm decoder, grouped-query attention with rotary positions, SwiGLU, tied or untied embeddings.
#include "runtime/architectures/families.h"
#include "runtime/architectures/parameter_table.h"

namespace hearth {
namespace {

constexpr HfKey kLlamaKeys[] = {{"attention_bias", false},
                                {"hidden_act", "silu"},
                                {"hidden_size", 4096},
                                {"intermediate_size", 11'008},
                                {"max_position_embeddings", 2048},
                                {"mlp_bias", false},
                                {"num_attention_heads", 32},
                                {"num_hidden_layers", 32},
                                {"num_key_value_heads", kNone},
                                {"rms_norm_eps", 1e-06},
                                {"tie_word_embeddings", false},
                                {"vocab_size", 32'000}};

class Llama final : public Architecture {
 public:
  std::string_view family() const override { return "llama"; }
  std::string_view hf_architecture() const override { return "LlamaForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kLlamaKeys; }
  std::string_view gguf_architecture() const override { return "llama"; }
  bool claims_gguf(const ConfigSource& source) const override { return !source.has("expert_count"); }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    return plain_decoder(c, {.qkv_bias = c.attention_bias, .o_bias = c.attention_bias, .gguf_rope_rows = true});
  }
};

}  // namespace

const Architecture& llama() {
  static const Llama architecture;
  return architecture;
}

}  // namespace hearth
