// MiniMax M2: norms over all of q and all of k, half of each head rotated, sigmoid routing with a correction of the
// choice.
#include "runtime/architectures/common_config.h"
#include "runtime/architectures/experts.h"
#include "runtime/architectures/families.h"

namespace hearth {
namespace {

class MiniMaxM2 final : public Architecture {
 public:
  std::string_view family() const override { return "minimax_m2"; }
  std::string_view hf_architecture() const override { return "MiniMaxM2ForCausalLM"; }
  std::string_view gguf_architecture() const override { return "minimax-m2"; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    const std::string block = "block_sparse_moe.";
    ParameterTable t(c);
    t.embed();
    for (int l = 0; l < c.n_layers; ++l) {
      t.begin_layer(l);
      t.norm("attn_norm", "input_layernorm", "attn_norm");
      t.attention({});
      t.qk_norm(int64_t{c.n_heads} * c.head_dim, int64_t{c.n_kv_heads} * c.head_dim);
      t.norm("ffn_norm", "post_attention_layernorm", "ffn_norm");
      add_experts(t, c,
                  {.router = block + "gate",
                   .gate = block + "experts.{}.w1",
                   .up = block + "experts.{}.w3",
                   .down = block + "experts.{}.w2",
                   .correction = block + "e_score_correction_bias"});
    }
    return t.finish();
  }

  bool may_skip(std::string_view tensor, const ModelConfig& c) const override { return is_beyond_layers(tensor, c); }

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_hf(source, c));
    TRY(source.expect("use_qk_norm", true));
    TRY(source.expect("use_routing_bias", true));
    TRY(source.expect("shared_intermediate_size", 0.0));
    c.rope.rotary_dim = TRY(source.count_or("rotary_dim", c.rope.rotary_dim));
    if (c.rope.rotary_dim == c.head_dim) c.rope.rotary_dim = 0;
    c.moe.n_experts = TRY(source.count("num_local_experts"));
    c.moe.d_ff = c.d_ff;
    c.moe.routing.n_chosen = TRY(source.count("num_experts_per_tok"));
    set_arithmetic(c);
    return {};
  }
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_hf(c, sink);
    sink.remove("mlp_bias");
    sink.remove("attention_bias");
    sink.set("rotary_dim", c.rope.rotary_dim > 0 ? c.rope.rotary_dim : c.head_dim);
    sink.set("num_local_experts", c.moe.n_experts);
    sink.set("num_experts_per_tok", c.moe.routing.n_chosen);
    sink.set("scoring_func", "sigmoid");
    sink.set("use_routing_bias", true);
    sink.set("use_qk_norm", true);
  }

  Result<void> read_gguf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_gguf(source, c));
    TRY(read_experts_gguf(source, c));
    set_arithmetic(c);
    return {};
  }
  void write_gguf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_gguf(c, sink);
    write_experts_gguf(c, sink);
  }

 private:
  static void set_arithmetic(ModelConfig& c) {
    c.moe.routing.scoring = Routing::Scoring::sigmoid;
    c.moe.routing.normalise = true;
  }
};

}  // namespace

const Architecture& minimax_m2() {
  static const MiniMaxM2 architecture;
  return architecture;
}

}  // namespace hearth
