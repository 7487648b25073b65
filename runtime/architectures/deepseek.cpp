// DeepSeek V2, V3 and R1, and Kimi K2: multi-head latent attention, many experts beside a shared one, dense layers
// first. The two classes differ in the router only: V2 scores by softmax, V3 by sigmoid with a correction of the
// choice.
#include <algorithm>

#include "runtime/architectures/common_config.h"
#include "runtime/architectures/experts.h"
#include "runtime/architectures/families.h"
#include "runtime/architectures/latent_attention.h"
#include "runtime/architectures/model_builder.h"
#include "runtime/architectures/rope_files.h"

namespace hearth {
namespace {

class Deepseek : public Architecture {
 public:
  std::string_view gguf_architecture() const override { return "deepseek2"; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    ParameterTable t(c);
    t.embed();
    for (int l = 0; l < c.n_layers; ++l) {
      t.begin_layer(l);
      t.norm("attn_norm", "input_layernorm", "attn_norm");
      add_latent_attention(t, c);
      t.norm("ffn_norm", "post_attention_layernorm", "ffn_norm");
      if (c.moe.has_experts(l))
        add_experts(t, c, {.correction = has_correction() ? "mlp.gate.e_score_correction_bias" : ""});
      else
        t.glu();
    }
    return t.finish();
  }

  bool may_skip(std::string_view tensor, const ModelConfig& c) const override { return is_beyond_layers(tensor, c); }

  Value forward(ModelBuilder& m) const override {
    Value x = m.embed(m.tokens(), "embed");
    for (int l = 0; l < m.config().n_layers; ++l) {
      m.begin_layer(l, x);
      x = m.residual(x, m.latent_attention(m.norm(x, "attn_norm")));
      x = m.residual(x, m.experts_or_mlp(m.norm(x, "ffn_norm")));
    }
    m.end_layers();
    return m.norm(x, "final_norm");
  }

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_hf(source, c));
    TRY(allow_scaling(c.rope, {RopeConfig::Scaling::none, RopeConfig::Scaling::yarn}));
    if (c.n_kv_heads != c.n_heads)
      return error(Code::unimplemented, "num_key_value_heads must be num_attention_heads in models of this family");
    MlaConfig& mla = c.mla;
    mla.q_rank = TRY(source.count_or("q_lora_rank", 0));
    mla.kv_rank = TRY(source.count("kv_lora_rank"));
    mla.rope_dim = TRY(source.count("qk_rope_head_dim"));
    mla.nope_dim = TRY(source.count("qk_nope_head_dim"));
    mla.value_dim = TRY(source.count("v_head_dim"));
    mla.rope_interleaved = TRY(source.boolean_or("rope_interleave", true));  // V2 has no such key
    set_heads(c);
    MoeConfig& moe = c.moe;
    moe.n_experts = TRY(source.count(experts_key(source)));
    moe.d_ff = TRY(source.count("moe_intermediate_size"));
    moe.d_ff_shared = moe.d_ff * TRY(source.count("n_shared_experts"));
    if (const int n = TRY(source.count("first_k_dense_replace")); n > 0)
      moe.dense_layers = first_layers_dense(c.n_layers, n);
    moe.routing.n_chosen = TRY(source.count("num_experts_per_tok"));
    moe.routing.scale = static_cast<float>(TRY(source.number("routed_scaling_factor")));
    return read_routing_hf(source, moe.routing);
  }
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    ModelConfig plain = c;
    plain.head_dim = c.mla.rope_dim;
    plain.rope.rotary_dim = 0;
    write_common_hf(plain, sink);
    sink.remove("mlp_bias");
    sink.set_or_null("q_lora_rank", c.mla.q_rank);
    sink.set("kv_lora_rank", c.mla.kv_rank);
    sink.set("qk_rope_head_dim", c.mla.rope_dim);
    sink.set("qk_nope_head_dim", c.mla.nope_dim);
    sink.set("v_head_dim", c.mla.value_dim);
    sink.set("n_routed_experts", c.moe.n_experts);
    sink.set("moe_intermediate_size", c.moe.d_ff);
    sink.set("n_shared_experts", c.moe.d_ff_shared / c.moe.d_ff);
    sink.set("first_k_dense_replace", n_dense_layers(c));
    sink.set("num_experts_per_tok", c.moe.routing.n_chosen);
    sink.set("routed_scaling_factor", static_cast<double>(c.moe.routing.scale));
    sink.set("n_group", c.moe.routing.n_groups);
    sink.set("topk_group", c.moe.routing.n_chosen_groups);
    write_routing_hf(c, sink);
  }

  Result<void> read_gguf(const ConfigSource& source, ModelConfig& c) const override {
    if (source.has_tensor("blk.0.attn_kv_b.weight"))
      return error(Code::unimplemented,
                   "this file keeps attn_kv_b in one piece, as converters did before 2025; use a newer one with "
                   "attn_k_b and attn_v_b");
    MlaConfig& mla = c.mla;
    mla.kv_rank = TRY(source.count("attention.kv_lora_rank"));
    TRY(read_common_gguf(source, c));
    mla.q_rank = source.has_tensor("blk.0.attn_q.weight") ? 0 : TRY(source.count("attention.q_lora_rank"));
    mla.rope_dim = TRY(source.count("rope.dimension_count"));
    mla.nope_dim = TRY(source.count("attention.key_length_mla")) - mla.rope_dim;
    mla.value_dim = TRY(source.count("attention.value_length_mla"));
    // A tenth of mscale_all_dim; mscale itself is not there, and equals it in every published model.
    c.rope.mscale = c.rope.mscale_all_dim = 10 * TRY(source.number_or("rope.scaling.yarn_log_multiplier", 0));
    c.rope.attention_factor = 0;
    set_heads(c);
    c.moe.routing = default_routing();
    return read_experts_gguf(source, c);
  }
  void write_gguf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_gguf(c, sink);
    sink.set("attention.head_count_kv", 1);
    sink.set("attention.key_length", c.mla.kv_rank + c.mla.rope_dim);
    sink.set("attention.value_length", c.mla.kv_rank);
    sink.set("attention.key_length_mla", c.mla.nope_dim + c.mla.rope_dim);
    sink.set("attention.value_length_mla", c.mla.value_dim);
    if (c.mla.q_rank > 0) sink.set("attention.q_lora_rank", c.mla.q_rank);
    sink.set("attention.kv_lora_rank", c.mla.kv_rank);
    sink.remove("rope.scaling.attn_factor");
    if (c.rope.mscale_all_dim > 0) sink.set("rope.scaling.yarn_log_multiplier", c.rope.mscale_all_dim / 10);
    sink.set("leading_dense_block_count", n_dense_layers(c));
    write_experts_gguf(c, sink);
  }

  Result<void> fits_gguf(const ModelConfig& c) const override {
    if (!c.mla.rope_interleaved)
      return error(Code::unimplemented, "GGUF files of this family have rotated pairs side by side only");
    if (c.rope.scaling == RopeConfig::Scaling::yarn && c.rope.mscale != c.rope.mscale_all_dim)
      return error(Code::unimplemented, "GGUF files have no place for mscale {} beside mscale_all_dim {}",
                   c.rope.mscale, c.rope.mscale_all_dim);
    return {};
  }

 protected:
  virtual bool has_correction() const = 0;
  virtual Routing default_routing() const = 0;
  virtual Result<void> read_routing_hf(const ConfigSource& source, Routing& routing) const = 0;
  virtual void write_routing_hf(const ModelConfig& c, ConfigSink& sink) const = 0;

  static Result<void> read_groups_hf(const ConfigSource& source, Routing& routing) {
    routing.n_groups = TRY(source.count("n_group"));
    routing.n_chosen_groups = TRY(source.count("topk_group"));
    return {};
  }

 private:
  // The library's other names for the number of experts win.
  static std::string_view experts_key(const ConfigSource& source) {
    for (const char* key : {"num_experts", "num_local_experts"})
      if (source.has(key)) return key;
    return "n_routed_experts";
  }
  static void set_heads(ModelConfig& c) {
    c.head_dim = c.mla.nope_dim + c.mla.rope_dim;
    c.n_kv_heads = c.n_heads;
    c.rope.rotary_dim = c.mla.rope_dim;
  }
};

constexpr HfKey kDeepseekV3Keys[] = {{"attention_bias", false},
                                     {"first_k_dense_replace", 3},
                                     {"hidden_act", "silu"},
                                     {"hidden_size", 7168},
                                     {"intermediate_size", 18'432},
                                     {"kv_lora_rank", 512},
                                     {"max_position_embeddings", 4096},
                                     {"moe_intermediate_size", 2048},
                                     {"moe_layer_freq", 1, HfRule::only},
                                     {"n_group", 8},
                                     {"n_routed_experts", 256},
                                     {"n_shared_experts", 1},
                                     {"norm_topk_prob", true},
                                     {"num_attention_heads", 128},
                                     {"num_experts_per_tok", 8},
                                     {"num_hidden_layers", 61},
                                     {"num_key_value_heads", 128, HfRule::or_null},
                                     {"num_local_experts", kNone},
                                     {"q_lora_rank", 1536, HfRule::or_null},
                                     {"qk_nope_head_dim", 128},
                                     {"qk_rope_head_dim", 64},
                                     {"rms_norm_eps", 1e-06},
                                     {"rope_interleave", true},
                                     {"routed_scaling_factor", 2.5},
                                     {"scoring_func", "sigmoid", HfRule::only},
                                     {"tie_word_embeddings", false},
                                     {"topk_group", 4},
                                     {"topk_method", "noaux_tc", HfRule::only},
                                     {"v_head_dim", 128},
                                     {"vocab_size", 129'280}};

class DeepseekV3 final : public Deepseek {
 public:
  std::string_view family() const override { return "deepseek_v3"; }
  std::string_view hf_architecture() const override { return "DeepseekV3ForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kDeepseekV3Keys; }
  bool claims_gguf(const ConfigSource& source) const override {
    const int64_t first = source.integer("leading_dense_block_count").value_or(0);  // that has experts
    return source.has_tensor(fmt::format("blk.{}.exp_probs_b.bias", first)) ||
           source.integer("expert_gating_func").value_or(1) == 2;
  }

 protected:
  bool has_correction() const override { return true; }
  Routing default_routing() const override {
    Routing routing;
    routing.scoring = Routing::Scoring::sigmoid;
    routing.group_score = Routing::GroupScore::sum_of_two;
    return routing;
  }
  Result<void> read_routing_hf(const ConfigSource& source, Routing& routing) const override {
    TRY(read_groups_hf(source, routing));
    routing.scoring = Routing::Scoring::sigmoid;
    routing.group_score = Routing::GroupScore::sum_of_two;
    routing.normalise = TRY(source.boolean("norm_topk_prob"));
    return {};
  }
  void write_routing_hf(const ModelConfig& c, ConfigSink& sink) const override {
    sink.set("norm_topk_prob", c.moe.routing.normalise);
    sink.set("scoring_func", "sigmoid");
    sink.set("topk_method", "noaux_tc");
    sink.set("rope_interleave", c.mla.rope_interleaved);
  }
};

constexpr HfKey kDeepseekV2Keys[] = {{"attention_bias", false},
                                     {"first_k_dense_replace", 0},
                                     {"hidden_act", "silu"},
                                     {"hidden_size", 4096},
                                     {"intermediate_size", 11'008},
                                     {"kv_lora_rank", 512},
                                     {"max_position_embeddings", 2048},
                                     {"mlp_bias", false},
                                     {"moe_intermediate_size", 1407},
                                     {"moe_layer_freq", 1, HfRule::only},
                                     {"n_group", kNone},
                                     {"n_routed_experts", 64},
                                     {"n_shared_experts", 2},
                                     {"norm_topk_prob", false},
                                     {"num_attention_heads", 32},
                                     {"num_experts", kNone},
                                     {"num_experts_per_tok", kNone},
                                     {"num_hidden_layers", 32},
                                     {"num_key_value_heads", kNone},
                                     {"q_lora_rank", 1536, HfRule::or_null},
                                     {"qk_nope_head_dim", 128},
                                     {"qk_rope_head_dim", 64},
                                     {"rms_norm_eps", 1e-06},
                                     {"routed_scaling_factor", 1.0},
                                     {"scoring_func", "softmax", HfRule::only},
                                     {"tie_word_embeddings", false},
                                     {"topk_group", kNone},
                                     {"topk_method", "greedy"},
                                     {"v_head_dim", 128},
                                     {"vocab_size", 102'400}};

class DeepseekV2 final : public Deepseek {
 public:
  std::string_view family() const override { return "deepseek_v2"; }
  std::string_view hf_architecture() const override { return "DeepseekV2ForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kDeepseekV2Keys; }

 protected:
  bool has_correction() const override { return false; }
  Routing default_routing() const override { return {}; }
  // The weights are never normalised, whatever norm_topk_prob says: so does the library that such files are from.
  Result<void> read_routing_hf(const ConfigSource& source, Routing& routing) const override {
    const std::string method = TRY(source.string("topk_method"));
    if (method == "group_limited_greedy") return read_groups_hf(source, routing);
    if (method == "greedy") return {};
    return error(Code::unimplemented, "topk_method \"{}\" is not supported (greedy and group_limited_greedy are)",
                 method.substr(0, 40));
  }
  void write_routing_hf(const ModelConfig& c, ConfigSink& sink) const override {
    sink.set("norm_topk_prob", false);
    sink.set("scoring_func", "softmax");
    sink.set("topk_method", c.moe.routing.n_groups > 1 ? "group_limited_greedy" : "greedy");
  }
};

}  // namespace

const Architecture& deepseek_v3() {
  static const DeepseekV3 architecture;
  return architecture;
}
const Architecture& deepseek_v2() {
  static const DeepseekV2 architecture;
  return architecture;
}

}  // namespace hearth
