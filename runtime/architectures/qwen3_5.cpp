// Qwen 3.5 and 3.6, text, with and without experts.
#include "runtime/architectures/delta_net.h"
#include "runtime/architectures/families.h"

namespace hearth {
namespace {

constexpr HfKey kQwen35Keys[] = {{"attention_bias", false},
                                 {"full_attention_interval", 4},
                                 {"head_dim", 256},
                                 {"hidden_act", "silu", HfRule::only},
                                 {"hidden_size", 4096},
                                 {"intermediate_size", 12'288},
                                 {"layer_types", kNone},
                                 {"linear_conv_kernel_dim", 4},
                                 {"linear_key_head_dim", 128},
                                 {"linear_num_key_heads", 16},
                                 {"linear_num_value_heads", 32},
                                 {"linear_value_head_dim", 128},
                                 {"max_position_embeddings", 32'768},
                                 {"num_attention_heads", 16},
                                 {"num_hidden_layers", 32},
                                 {"num_key_value_heads", 4},
                                 {"partial_rotary_factor", 0.25},
                                 {"rms_norm_eps", 1e-06},
                                 {"tie_word_embeddings", false},
                                 {"vocab_size", 248'320}};

class Qwen35 final : public DeltaNetFamily {
 public:
  std::string_view family() const override { return "qwen3_5_text"; }
  std::string_view hf_architecture() const override { return "Qwen3_5ForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kQwen35Keys; }
  std::string_view gguf_architecture() const override { return "qwen35"; }
};

constexpr HfKey kQwen35MoeKeys[] = {{"attention_bias", false},
                                    {"full_attention_interval", 4},
                                    {"head_dim", 256},
                                    {"hidden_act", "silu", HfRule::only},
                                    {"hidden_size", 2048},
                                    {"layer_types", kNone},
                                    {"linear_conv_kernel_dim", 4},
                                    {"linear_key_head_dim", 128},
                                    {"linear_num_key_heads", 16},
                                    {"linear_num_value_heads", 32},
                                    {"linear_value_head_dim", 128},
                                    {"max_position_embeddings", 32'768},
                                    {"moe_intermediate_size", 512},
                                    {"num_attention_heads", 16},
                                    {"num_experts", 256},
                                    {"num_experts_per_tok", 8},
                                    {"num_hidden_layers", 40},
                                    {"num_key_value_heads", 2},
                                    {"partial_rotary_factor", 0.25},
                                    {"rms_norm_eps", 1e-06},
                                    {"shared_expert_intermediate_size", 512},
                                    {"tie_word_embeddings", false},
                                    {"vocab_size", 248'320}};

class Qwen35Moe final : public DeltaNetFamily {
 public:
  std::string_view family() const override { return "qwen3_5_moe_text"; }
  std::string_view hf_architecture() const override { return "Qwen3_5MoeForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kQwen35MoeKeys; }
  std::string_view gguf_architecture() const override { return "qwen35moe"; }

 protected:
  bool has_experts() const override { return true; }
};

}  // namespace

const Architecture& qwen3_5() {
  static const Qwen35 architecture;
  return architecture;
}
const Architecture& qwen3_5_moe() {
  static const Qwen35Moe architecture;
  return architecture;
}

}  // namespace hearth
