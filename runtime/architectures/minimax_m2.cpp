// MiniMax M2: norms over all of q and all of k, half of each head rotated, sigmoid routing with a correction of the
// choice.
#include "runtime/architectures/common_config.h"
#include "runtime/architectures/experts.h"
#include "runtime/architectures/families.h"

namespace hearth {
namespace {

constexpr HfKey kMinimaxM2Keys[] = {{"head_dim", 128},
                                    {"hidden_act", "silu"},
                                    {"hidden_size", 3072},
                                    {"intermediate_size", 1536},
                                    {"max_position_embeddings", 196'608},
                                    {"num_attention_heads", 48},
                                    {"num_experts", kNone},
                                    {"num_experts_per_tok", 8},
                                    {"num_hidden_layers", 62},
                                    {"num_key_value_heads", 8},
                                    {"num_local_experts", 256},
                                    {"partial_rotary_factor", kNone},
                                    {"qk_norm_type", "per_layer", HfRule::only},
                                    {"rms_norm_eps", 1e-06},
                                    {"rope_theta", 5'000'000.0},
                                    {"rotary_dim", kNone},
                                    {"scoring_func", "sigmoid", HfRule::only},
                                    {"shared_intermediate_size", 0, HfRule::only},
                                    {"tie_word_embeddings", false},
                                    {"use_qk_norm", true, HfRule::only},
                                    {"use_routing_bias", true, HfRule::only},
                                    {"vocab_size", 200'064}};

class MiniMaxM2 final : public Architecture {
 public:
  std::string_view family() const override { return "minimax_m2"; }
  std::string_view hf_architecture() const override { return "MiniMaxM2ForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kMinimaxM2Keys; }
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
    TRY(read_rotary_dim(source, c));
    c.moe.n_experts = TRY(source.count(source.has("num_experts") ? "num_experts" : "num_local_experts"));
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
  // Of published files, which have no partial_rotary_factor.
  static Result<void> read_rotary_dim(const ConfigSource& source, ModelConfig& c) {
    const std::string block = source.object_size("rope_scaling") > 0 ? "rope_scaling." : "rope_parameters.";
    if (source.has("partial_rotary_factor") || source.has(block + "partial_rotary_factor")) return {};
    if (source.is_null("partial_rotary_factor"))
      return error(Code::invalid_argument, "configuration key \"partial_rotary_factor\" is null");
    c.rope.rotary_dim = TRY(source.count_or("rotary_dim", c.head_dim));
    if (c.rope.rotary_dim == 0) return error(Code::invalid_argument, "configuration key \"rotary_dim\" is 0");
    if (c.rope.rotary_dim == c.head_dim) c.rope.rotary_dim = 0;
    return {};
  }
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
