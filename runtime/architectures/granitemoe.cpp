// Granite 3 with experts: Granite (multipliers of embeddings, residuals, scores and logits) with experts as its MLPs.
#include "runtime/architectures/experts.h"
#include "runtime/architectures/families.h"

namespace hearth {
namespace {

constexpr HfKey kGranitemoeKeys[] = {{"attention_bias", false},     {"attention_multiplier", 1.0},
                                     {"embedding_multiplier", 1.0}, {"hidden_act", "silu"},
                                     {"hidden_size", 4096},         {"intermediate_size", 11'008},
                                     {"logits_scaling", 1.0},       {"max_position_embeddings", 2048},
                                     {"num_attention_heads", 32},   {"num_experts_per_tok", 2},
                                     {"num_hidden_layers", 32},     {"num_key_value_heads", kNone},
                                     {"num_local_experts", 8},      {"residual_multiplier", 1.0},
                                     {"rms_norm_eps", 1e-06},       {"tie_word_embeddings", false},
                                     {"vocab_size", 32'000}};

class GraniteMoe final : public Architecture {
 public:
  std::string_view family() const override { return "granitemoe"; }
  std::string_view hf_architecture() const override { return "GraniteMoeForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kGranitemoeKeys; }
  std::string_view gguf_architecture() const override { return "granitemoe"; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    const int64_t C = c.d_model, E = c.moe.n_experts, F = c.moe.d_ff;
    const Storage gate_up("block_sparse_moe.input_linear");
    ParameterTable t(c);
    t.embed();
    for (int l = 0; l < c.n_layers; ++l) {
      t.begin_layer(l);
      t.norm("attn_norm", "input_layernorm", "attn_norm");
      t.attention({.qkv_bias = c.attention_bias, .o_bias = c.attention_bias, .gguf_rope_rows = true});
      t.norm("ffn_norm", "post_attention_layernorm", "ffn_norm");
      t.matrix("router", {E, C}, {"", "model"}, "block_sparse_moe.router.layer", "ffn_gate_inp");
      t.matrix("experts_gate", {E, F, C}, {"expert", "ffn", "model"}, gate_up.rows(0, 2 * F), "ffn_gate_exps");
      t.matrix("experts_up", {E, F, C}, {"expert", "ffn", "model"}, gate_up.rows(F, 2 * F), "ffn_up_exps");
      t.matrix("experts_down", {E, C, F}, {"expert", "model", "ffn"}, "block_sparse_moe.output_linear",
               "ffn_down_exps");
    }
    return t.finish();
  }

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(granite().read_hf(source, c));
    c.moe.n_experts = TRY(source.count("num_local_experts"));
    c.moe.d_ff = c.d_ff;
    c.moe.routing.n_chosen = TRY(source.count("num_experts_per_tok"));
    c.moe.routing.normalise = true;
    return {};
  }
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    granite().write_hf(c, sink);
    sink.set("num_local_experts", c.moe.n_experts);
    sink.set("num_experts_per_tok", c.moe.routing.n_chosen);
  }

  Result<void> read_gguf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(granite().read_gguf(source, c));
    c.moe.routing.normalise = true;
    return read_experts_gguf(source, c);
  }
  void write_gguf(const ModelConfig& c, ConfigSink& sink) const override {
    granite().write_gguf(c, sink);
    write_experts_gguf(c, sink);
  }
};

}  // namespace

const Architecture& granitemoe() {
  static const GraniteMoe architecture;
  return architecture;
}

}  // namespace hearth
