// Qwen3-Next: the delta nets of Qwen 3.5 in an older layout of files, always with experts.
#include "runtime/architectures/delta_net.h"
#include "runtime/architectures/families.h"

namespace hearth {
namespace {

constexpr HfKey kQwen3NextKeys[] = {{"attention_bias", false},
                                    {"decoder_sparse_step", 1},
                                    {"full_attention_interval", 4},
                                    {"head_dim", 256},
                                    {"hidden_act", "silu", HfRule::only},
                                    {"hidden_size", 2048},
                                    {"intermediate_size", 5632},
                                    {"layer_types", kNone},
                                    {"linear_conv_kernel_dim", 4},
                                    {"linear_key_head_dim", 128},
                                    {"linear_num_key_heads", 16},
                                    {"linear_num_value_heads", 32},
                                    {"linear_value_head_dim", 128},
                                    {"max_position_embeddings", 32'768},
                                    {"mlp_only_layers", kNone},
                                    {"moe_intermediate_size", 512},
                                    {"norm_topk_prob", true},
                                    {"num_attention_heads", 16},
                                    {"num_experts", 512},
                                    {"num_experts_per_tok", 10},
                                    {"num_hidden_layers", 48},
                                    {"num_key_value_heads", 2},
                                    {"partial_rotary_factor", 0.25},
                                    {"rms_norm_eps", 1e-06},
                                    {"shared_expert_intermediate_size", 512},
                                    {"tie_word_embeddings", false},
                                    {"vocab_size", 151'936}};

class Qwen3Next final : public DeltaNetFamily {
 public:
  std::string_view family() const override { return "qwen3_next"; }
  std::string_view hf_architecture() const override { return "Qwen3NextForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kQwen3NextKeys; }
  std::string_view gguf_architecture() const override { return "qwen3next"; }

 protected:
  bool is_fused_by_head() const override { return true; }
  bool is_tiled_in_gguf() const override { return false; }
  bool has_experts() const override { return true; }
};

}  // namespace

const Architecture& qwen3_next() {
  static const Qwen3Next architecture;
  return architecture;
}

}  // namespace hearth
