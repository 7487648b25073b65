// GLM-4.5 and 4.6: half of each head rotated, norms of each head's q and k in the large ones, sigmoid routing with a
// correction of the choice, a shared expert, dense layers first.
#include "runtime/architectures/common_config.h"
#include "runtime/architectures/experts.h"
#include "runtime/architectures/families.h"

namespace hearth {
namespace {

constexpr HfKey kGlm4MoeKeys[] = {{"attention_bias", false},
                                  {"first_k_dense_replace", 1},
                                  {"hidden_act", "silu"},
                                  {"hidden_size", 4096},
                                  {"intermediate_size", 10'944},
                                  {"max_position_embeddings", 131'072},
                                  {"moe_intermediate_size", 1408},
                                  {"n_group", 1},
                                  {"n_routed_experts", 128},
                                  {"n_shared_experts", 1},
                                  {"norm_topk_prob", true},
                                  {"num_attention_heads", 96},
                                  {"num_experts_per_tok", 8},
                                  {"num_hidden_layers", 46},
                                  {"num_key_value_heads", 8},
                                  {"num_local_experts", kNone},
                                  {"partial_rotary_factor", 0.5},
                                  {"rms_norm_eps", 1e-05},
                                  {"routed_scaling_factor", 1.0},
                                  {"scoring_func", "sigmoid", HfRule::only},
                                  {"tie_word_embeddings", false},
                                  {"topk_group", 1},
                                  {"topk_method", "noaux_tc", HfRule::only},
                                  {"use_qk_norm", false},
                                  {"vocab_size", 151'552}};

class Glm4Moe final : public Architecture {
 public:
  std::string_view family() const override { return "glm4_moe"; }
  std::string_view hf_architecture() const override { return "Glm4MoeForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kGlm4MoeKeys; }
  std::string_view gguf_architecture() const override { return "glm4moe"; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    ParameterTable t(c);
    t.embed();
    for (int l = 0; l < c.n_layers; ++l) {
      t.begin_layer(l);
      t.norm("attn_norm", "input_layernorm", "attn_norm");
      t.attention({.qkv_bias = c.attention_bias});
      if (c.qk_norm) t.qk_norm();
      t.norm("ffn_norm", "post_attention_layernorm", "post_attention_norm");
      if (c.moe.has_experts(l))
        add_experts(t, c, {.correction = "mlp.gate.e_score_correction_bias"});
      else
        t.glu();
    }
    return t.finish();
  }

  bool may_skip(std::string_view tensor, const ModelConfig& c) const override { return is_beyond_layers(tensor, c); }

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_hf(source, c));
    c.qk_norm = TRY(source.boolean("use_qk_norm"));
    MoeConfig& moe = c.moe;
    moe.n_experts = TRY(source.count(source.has("num_local_experts") ? "num_local_experts" : "n_routed_experts"));
    moe.d_ff = TRY(source.count("moe_intermediate_size"));
    moe.d_ff_shared = moe.d_ff * TRY(source.count("n_shared_experts"));
    if (const int n = TRY(source.count("first_k_dense_replace")); n > 0)
      moe.dense_layers = first_layers_dense(c.n_layers, n);
    Routing& routing = moe.routing = default_routing();
    routing.n_chosen = TRY(source.count("num_experts_per_tok"));
    routing.normalise = TRY(source.boolean("norm_topk_prob"));
    routing.scale = static_cast<float>(TRY(source.number("routed_scaling_factor")));
    routing.n_groups = TRY(source.count("n_group"));
    routing.n_chosen_groups = TRY(source.count("topk_group"));
    return {};
  }
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_hf(c, sink);
    sink.remove("mlp_bias");
    sink.set("use_qk_norm", c.qk_norm);
    sink.set("n_routed_experts", c.moe.n_experts);
    sink.set("moe_intermediate_size", c.moe.d_ff);
    sink.set("n_shared_experts", c.moe.d_ff_shared / c.moe.d_ff);
    sink.set("first_k_dense_replace", n_dense_layers(c));
    sink.set("num_experts_per_tok", c.moe.routing.n_chosen);
    sink.set("norm_topk_prob", c.moe.routing.normalise);
    sink.set("routed_scaling_factor", static_cast<double>(c.moe.routing.scale));
    sink.set("n_group", c.moe.routing.n_groups);
    sink.set("topk_group", c.moe.routing.n_chosen_groups);
  }

  Result<void> read_gguf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_gguf(source, c));
    c.n_layers -= TRY(source.count_or("nextn_predict_layers", 0));  // they are counted there, and not run here
    c.qk_norm = source.has_tensor("blk.0.attn_q_norm.weight");
    c.moe.routing = default_routing();
    return read_experts_gguf(source, c);
  }
  void write_gguf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_gguf(c, sink);
    write_experts_gguf(c, sink);
  }

 private:
  static Routing default_routing() {
    Routing routing;
    routing.scoring = Routing::Scoring::sigmoid;
    routing.group_score = Routing::GroupScore::sum_of_two;
    return routing;
  }
};

}  // namespace

const Architecture& glm4_moe() {
  static const Glm4Moe architecture;
  return architecture;
}

}  // namespace hearth
