// Gemma 4, text: sliding and full layers with heads of their own, no factor on scores, values normed; in the small
// ones a narrow embedding per layer, and upper layers that share keys and values with lower ones; in one, experts
// beside each MLP.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>

#include "runtime/architectures/common_config.h"
#include "runtime/architectures/experts.h"
#include "runtime/architectures/families.h"
#include "runtime/architectures/model_builder.h"
#include "runtime/architectures/parameter_table.h"
#include "runtime/architectures/rope_files.h"
#include "runtime/ops/slice_axis/slice_axis.h"

namespace hearth {
namespace {

constexpr HfKey kGemma4Keys[] = {{"attention_bias", false},
                                 {"attention_k_eq_v", false},
                                 {"enable_moe_block", false},
                                 {"final_logit_softcapping", kNone},
                                 {"global_head_dim", 512},
                                 {"head_dim", 256},
                                 {"hidden_activation", "gelu_pytorch_tanh"},
                                 {"hidden_size", 2304},
                                 {"hidden_size_per_layer_input", 256},
                                 {"intermediate_size", 9216},
                                 {"layer_types", kNone},
                                 {"max_position_embeddings", 131'072},
                                 {"moe_intermediate_size", kNone},
                                 {"num_attention_heads", 8},
                                 {"num_experts", kNone},
                                 {"num_global_key_value_heads", kNone},
                                 {"num_hidden_layers", 30},
                                 {"num_key_value_heads", 4},
                                 {"num_kv_shared_layers", 0},
                                 {"per_layer_config", kNone},
                                 {"rms_norm_eps", 1e-06},
                                 {"rope_parameters.full_attention.partial_rotary_factor", 0.25},
                                 {"rope_parameters.full_attention.rope_theta", 1'000'000.0},
                                 {"rope_parameters.full_attention.rope_type", "proportional"},
                                 {"rope_parameters.sliding_attention.rope_theta", 10'000.0},
                                 {"rope_parameters.sliding_attention.rope_type", "default"},
                                 {"sliding_window", 512},
                                 {"tie_word_embeddings", true},
                                 {"top_k_experts", kNone},
                                 {"use_bidirectional_attention", kNone},
                                 {"use_double_wide_mlp", false},
                                 {"vocab_size", 262'144},
                                 {"vocab_size_per_layer_input", 262'144}};

class Gemma4 final : public Architecture {
 public:
  std::string_view family() const override { return "gemma4_text"; }
  std::string_view hf_architecture() const override { return "Gemma4ForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kGemma4Keys; }
  std::string_view gguf_architecture() const override { return "gemma4"; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    ParameterTable t(c);
    t.embed();
    if (c.per_layer_input.width > 0) add_per_layer_table(c, t);
    for (int l = 0; l < c.n_layers; ++l) {
      t.begin_layer(l);
      const bool own_kv = c.kv_layer_of(l) == l;
      t.norm("attn_norm", "input_layernorm", "attn_norm");
      t.attention({.qkv_bias = c.attention_bias,
                   .o_bias = c.attention_bias,
                   .has_keys = own_kv,
                   .has_values = own_kv && !values_are_keys(c, l)});
      t.norm("q_norm", "self_attn.q_norm", "attn_q_norm", c.head_dim_of(l));
      if (own_kv) t.norm("k_norm", "self_attn.k_norm", "attn_k_norm", c.head_dim_of(l));
      t.norm("attn_post_norm", "post_attention_layernorm", "post_attention_norm");
      t.norm("ffn_norm", "pre_feedforward_layernorm", "ffn_norm");
      t.glu();
      t.norm("ffn_post_norm", "post_feedforward_layernorm", "post_ffw_norm");
      if (c.moe.n_experts > 0) add_expert_block(c, t);
      if (c.per_layer_input.width > 0) add_per_layer_block(c, t);
      t.add({fmt::format("layers.{}.scale", l),
             ParameterKind::norm,
             {1},
             {""},
             fmt::format("model.layers.{}.layer_scalar", l),
             fmt::format("blk.{}.layer_output_scale.weight", l)});
    }
    return t.finish();
  }

  Value forward(ModelBuilder& m) const override {
    const ModelConfig& c = m.config();
    Value x = m.embed(m.tokens(), "embed");
    const Value extra = c.per_layer_input.width > 0 ? per_layer_inputs(m, x) : Value();
    std::map<int, std::pair<Value, Value>> kept;  // keys and values by the layer that computed them
    for (int l = 0; l < c.n_layers; ++l) {
      m.begin_layer(l, x);
      const Value h = m.norm(x, "attn_norm");
      const auto heads = [&](std::string_view role) { return m.heads(m.linear(h, role), c.head_dim_of(l)); };
      const Value q = m.rope(m.norm(heads("wq"), "q_norm"));
      if (c.kv_layer_of(l) == l) {
        const Value keys = heads("wk");
        const Value values = values_are_keys(c, l) ? keys : heads("wv");
        kept[l] = {m.rope(m.norm(keys, "k_norm")), m.plain_norm(values)};
      }
      const auto& [k, v] = kept[c.kv_layer_of(l)];
      x = m.residual(x, m.norm(m.linear(m.columns(m.attention(q, k, v)), "wo"), "attn_post_norm"));
      const Value f = m.norm(x, "ffn_norm");
      Value fed = m.linear(m.glu(m.linear(f, "w_gate"), m.linear(f, "w_up")), "w_down");
      if (c.moe.n_experts > 0) fed = m.b().add(m.norm(fed, "ffn_post_norm_1"), expert_update(m, x));
      x = m.residual(x, m.norm(fed, "ffn_post_norm"));
      if (extra) x = m.residual(x, per_layer_update(m, x, extra, l));
      x = times_number(m, x, m.weight("scale"));
    }
    m.end_layers();
    return m.norm(x, "final_norm");
  }

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_hf(source, c));
    TRY(read_experts_hf(source, c));
    TRY(refuse_bidirectional(source));
    c.activation = TRY(read_activation_hf(source, "hidden_activation"));
    c.window = TRY(source.count("sliding_window"));
    c.layer_kinds = every_nth_full(c.n_layers, kPattern);
    TRY(read_layer_types_hf(source, c));
    if (!c.layer_kinds.empty()) c.layer_kinds.back() = LayerKind::full;
    TRY(check_window(source, c));
    c.logit_softcap = TRY(read_softcap(source, "final_logit_softcapping"));
    c.kv_sharing = {TRY(source.count("num_kv_shared_layers")), TRY(source.boolean("use_double_wide_mlp")),
                    TRY(source.boolean("attention_k_eq_v"))};
    TRY(read_heads_hf(source, c));
    TRY(read_ropes_hf(source, c));
    c.per_layer_input.width = TRY(source.count("hidden_size_per_layer_input"));
    c.per_layer_input.vocab_size = TRY(source.count("vocab_size_per_layer_input"));
    if (c.per_layer_input.width == 0) c.per_layer_input = {};
    set_scales(c);
    return {};
  }

  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    write_common_hf(c, sink);
    for (const char* key : {"mlp_bias", "rope_parameters", "rope_scaling", "rope_theta", "partial_rotary_factor"})
      sink.remove(key);
    write_rope_hf(c.rope, c, sink, "rope_parameters.full_attention");
    write_rope_hf(*c.sliding_rope, c, sink, "rope_parameters.sliding_attention");
    sink.set("head_dim", c.sliding_head_dim);
    sink.set("global_head_dim", c.head_dim);
    sink.set("num_key_value_heads", c.sliding_kv_heads);
    if (c.sliding_kv_heads != c.n_kv_heads) sink.set("num_global_key_value_heads", c.n_kv_heads);
    sink.set("hidden_activation", activation_hf(c.activation));
    sink.set("sliding_window", c.window);
    write_layer_types_hf(c, sink);
    if (c.logit_softcap > 0) sink.set("final_logit_softcapping", c.logit_softcap);
    sink.set("enable_moe_block", c.moe.n_experts > 0);
    if (c.moe.n_experts > 0) {
      sink.set("num_experts", c.moe.n_experts);
      sink.set("top_k_experts", c.moe.routing.n_chosen);
      sink.set("moe_intermediate_size", c.moe.d_ff);
    }
    sink.set("num_kv_shared_layers", c.kv_sharing.n_layers);
    sink.set("use_double_wide_mlp", c.kv_sharing.doubles_d_ff);
    sink.set("attention_k_eq_v", c.kv_sharing.values_are_keys);
    sink.set("hidden_size_per_layer_input", c.per_layer_input.width);
    if (c.per_layer_input.width > 0) sink.set("vocab_size_per_layer_input", c.per_layer_input.vocab_size);
  }

  Result<void> read_gguf(const ConfigSource& source, ModelConfig& c) const override;
  void write_gguf(const ModelConfig& c, ConfigSink& sink) const override;

 private:
  static constexpr int kPattern = 6;

  static bool values_are_keys(const ModelConfig& c, int layer) {
    return c.kv_sharing.values_are_keys && !c.is_sliding(layer);
  }

  // Every element of x times the one of `number`.
  static Value times_number(ModelBuilder& m, Value x, Value number) {
    return m.columns(m.b().mul(m.heads(x, 1), number));
  }

  static void set_scales(ModelConfig& c) {
    c.scale.embedding = std::sqrt(static_cast<double>(c.d_model));
    c.scale.attention = 1;
  }

  static Result<void> refuse_bidirectional(const ConfigSource& source) {
    if (TRY(source.string_or("use_bidirectional_attention", "vision")) == "vision") return {};
    return error(Code::unimplemented, "attention in both directions is not supported for this family");
  }

  // "head_dim" and "num_key_value_heads" are of sliding layers. Full ones: keys of their own, or entries by layer.
  static Result<void> read_heads_hf(const ConfigSource& source, ModelConfig& c) {
    c.sliding_head_dim = c.head_dim;
    c.sliding_kv_heads = c.n_kv_heads;
    if (source.has("per_layer_config")) return read_layer_entries(source, c);
    c.head_dim = TRY(source.count("global_head_dim"));
    if (c.kv_sharing.values_are_keys) c.n_kv_heads = TRY(source.count_or("num_global_key_value_heads", c.n_kv_heads));
    return {};
  }

  // Entries by layer may say anything of it; supported are the heads of full layers, the same in all of them.
  static Result<void> read_layer_entries(const ConfigSource& source, ModelConfig& c) {
    std::optional<std::pair<int, int>> full;
    size_t n_entries = 0;
    for (int l = 0; l < c.n_layers; ++l) {
      const std::string entry = fmt::format("per_layer_config.{}", l);
      n_entries += source.has(entry);
      const std::string width = entry + ".head_dim", heads = entry + ".num_key_value_heads";
      const std::pair here = {TRY(source.count_or(width, c.sliding_head_dim)),
                              TRY(source.count_or(heads, c.sliding_kv_heads))};
      const bool is_plain = here == std::pair(c.sliding_head_dim, c.sliding_kv_heads);
      const auto n_known = static_cast<size_t>(source.has(width)) + static_cast<size_t>(source.has(heads));
      if (source.object_size(entry) != n_known || (c.is_sliding(l) ? !is_plain : full.value_or(here) != here))
        return error(Code::unimplemented,
                     "per_layer_config of layer {}: only head_dim and num_key_value_heads of full layers, the same for "
                     "all of them, are supported",
                     l);
      if (!c.is_sliding(l)) full = here;
    }
    if (source.object_size("per_layer_config") != n_entries)
      return error(Code::invalid_argument, "per_layer_config has entries of layers that the model does not have");
    if (full) std::tie(c.head_dim, c.n_kv_heads) = *full;
    return {};
  }

  static Result<void> read_ropes_hf(const ConfigSource& source, ModelConfig& c) {
    ModelConfig sliding = c;
    sliding.head_dim = c.sliding_head_dim;
    const RopePlaces local{.blocks = {"rope_parameters.sliding_attention"}, .theta_key = "", .is_nested = true},
        global{.blocks = {"rope_parameters.full_attention"}, .theta_key = "", .is_nested = true};
    for (const RopePlaces* places : {&local, &global}) TRY(has_block(source, places->blocks[0]));
    c.sliding_rope = TRY(read_rope_hf(source, sliding, local));
    c.rope = TRY(read_rope_hf(source, c, global));
    return {};
  }

  static Result<void> read_experts_hf(const ConfigSource& source, ModelConfig& c) {
    if (!TRY(source.boolean("enable_moe_block"))) return {};
    c.moe.n_experts = TRY(source.count("num_experts"));
    c.moe.routing.n_chosen = TRY(source.count("top_k_experts"));
    c.moe.routing.normalise = true;
    c.moe.d_ff = TRY(source.count("moe_intermediate_size"));
    return {};
  }

  // Experts beside the MLP, with a router of its own norm, and a factor for each.
  static void add_expert_block(const ModelConfig& c, ParameterTable& t) {
    using enum ParameterKind;
    const int64_t C = c.d_model, E = c.moe.n_experts, F = c.moe.d_ff;
    t.norm("ffn_post_norm_1", "post_feedforward_layernorm_1", "post_ffw_norm_1");
    t.norm("ffn_norm_2", "pre_feedforward_layernorm_2", "pre_ffw_norm_2");
    t.norm("ffn_post_norm_2", "post_feedforward_layernorm_2", "post_ffw_norm_2");
    t.weight("router_norm", norm, {C}, {"model"}, "router.scale", "ffn_gate_inp.scale");
    t.matrix("router", {E, C}, {"", "model"}, "router.proj", "ffn_gate_inp");
    t.weight("expert_scale", norm, {E}, {""}, "router.per_expert_scale", "ffn_down_exps.scale");
    const Storage hf("experts.gate_up_proj"), gguf("ffn_gate_up_exps.weight");
    t.weight("experts_gate", matrix, {E, F, C}, {"expert", "ffn", "model"}, hf.rows(0, 2 * F), gguf.rows(0, 2 * F));
    t.weight("experts_up", matrix, {E, F, C}, {"expert", "ffn", "model"}, hf.rows(F, 2 * F), gguf.rows(F, 2 * F));
    t.weight("experts_down", matrix, {E, C, F}, {"expert", "model", "ffn"}, "experts.down_proj",
             "ffn_down_exps.weight");
  }

  // x: the rows that the MLP's norm reads, too.
  static Value expert_update(ModelBuilder& m, Value x) {
    const auto root = static_cast<float>(1 / std::sqrt(static_cast<double>(m.config().d_model)));
    const Value router_input = m.b().scale(m.norm(x, "router_norm"), root);
    return m.norm(m.experts(m.norm(x, "ffn_norm_2"), router_input), "ffn_post_norm_2");
  }

  static void add_per_layer_table(const ModelConfig& c, ParameterTable& t) {
    const int64_t P = c.per_layer_input.width, all = c.n_layers * P;
    t.add({"embed_per_layer",
           ParameterKind::embedding,
           {c.per_layer_input.vocab_size, all},
           {"vocabulary", ""},
           "model.embed_tokens_per_layer.weight",
           "per_layer_token_embd.weight"});
    t.matrix("per_layer_projection", {all, c.d_model}, {"", "model"}, "per_layer_model_projection",
             "per_layer_model_proj");
    t.norm("per_layer_norm", "per_layer_projection_norm", "per_layer_proj_norm", P);
  }

  static void add_per_layer_block(const ModelConfig& c, ParameterTable& t) {
    const int64_t P = c.per_layer_input.width, C = c.d_model;
    t.matrix("w_input_gate", {P, C}, {"", "model"}, "per_layer_input_gate", "inp_gate");
    t.matrix("w_input_out", {C, P}, {"model", ""}, "per_layer_projection", "proj");
    t.norm("input_post_norm", "post_per_layer_input_norm", "post_norm");
  }

  // [T, L*P]: the tokens' own narrow embeddings, and a projection of the wide ones.
  static Value per_layer_inputs(ModelBuilder& m, Value x) {
    const ModelConfig& c = m.config();
    const auto P = static_cast<double>(c.per_layer_input.width);
    const Value own =
        m.b().scale(m.b().gather_rows(m.weight("embed_per_layer"), m.tokens()), static_cast<float>(std::sqrt(P)));
    const Value projected = m.b().scale(m.linear(x, "per_layer_projection"),
                                        static_cast<float>(1 / std::sqrt(static_cast<double>(c.d_model))));
    return m.b().scale(m.b().add(m.columns(m.norm(m.heads(projected, c.per_layer_input.width), "per_layer_norm")), own),
                       static_cast<float>(std::sqrt(0.5)));
  }

  static Value per_layer_update(ModelBuilder& m, Value x, Value inputs, int layer) {
    const int P = m.config().per_layer_input.width;
    const Value mine = m.b().apply(std::make_shared<SliceAxis>(1, layer * P, P), {inputs});
    return m.norm(m.linear(m.glu(m.linear(x, "w_input_gate"), mine), "w_input_out"), "input_post_norm");
  }
};

Result<void> Gemma4::read_gguf(const ConfigSource& source, ModelConfig& c) const {
  c.activation = Activation::gelu_tanh;
  // Numbers that differ between the two kinds of layers are lists there, which the common keys do not take.
  const std::vector<int64_t> slides = TRY(source.integers("attention.sliding_window_pattern"));
  c.n_layers = TRY(read_layer_count(source, "block_count"));
  if (slides.size() != static_cast<size_t>(c.n_layers))
    return error(Code::invalid_argument, "attention.sliding_window_pattern must say something of each of {} layers",
                 c.n_layers);
  std::vector<LayerKind> kinds;
  for (const int64_t slides_here : slides) kinds.push_back(slides_here ? LayerKind::sliding : LayerKind::full);
  c.layer_kinds = kinds;
  const auto at = [&](LayerKind kind) {
    return static_cast<size_t>(std::find(kinds.begin(), kinds.end(), kind) - kinds.begin());
  };
  const auto per_kind = [&](const std::vector<int>& values, LayerKind kind) {
    return values.empty() ? 0 : values[at(kind) < values.size() ? at(kind) : 0];
  };
  const std::vector<int> kv = TRY(source.counts("attention.head_count_kv")),
                         ff = TRY(source.counts("feed_forward_length"));
  c.n_kv_heads = per_kind(kv, LayerKind::full);
  c.sliding_kv_heads = per_kind(kv, LayerKind::sliding);
  c.d_ff = ff.empty() ? 0 : ff[0];
  c.kv_sharing.n_layers = TRY(source.count_or("attention.shared_kv_layers", 0));
  c.kv_sharing.doubles_d_ff = ff.size() > 1 && ff.back() == 2 * ff.front();
  c.kv_sharing.values_are_keys = !source.has_tensor(fmt::format("blk.{}.attn_v.weight", at(LayerKind::full)));
  c.d_model = TRY(source.count("embedding_length"));
  c.n_heads = TRY(source.uniform_count_or("attention.head_count", 0));
  c.head_dim = TRY(source.count("attention.key_length"));
  c.sliding_head_dim = TRY(source.count_or("attention.key_length_swa", c.head_dim));
  c.max_seq_len = TRY(source.count("context_length"));
  c.norm_eps = TRY(source.number("attention.layer_norm_rms_epsilon"));
  c.vocab_size = TRY(gguf_vocab_size(source));
  c.tied_embeddings = !source.has_tensor("output.weight");
  c.window = TRY(source.count("attention.sliding_window"));
  c.logit_softcap = TRY(source.number_or("final_logit_softcapping", 0));
  c.rope = TRY_WITH(read_rope_gguf(source, c), "in the position scaling");
  c.sliding_rope.emplace().theta = TRY(source.number_or("rope.freq_base_swa", 10'000));
  c.per_layer_input.width = TRY(source.count_or("embedding_length_per_layer_input", 0));
  if (const auto table = source.tensor_shape("per_layer_token_embd.weight"); table && c.per_layer_input.width > 0)
    c.per_layer_input.vocab_size = static_cast<int>(std::min<int64_t>((*table)[0], INT32_MAX));
  if (source.has("expert_count")) {
    c.moe.routing.normalise = true;
    TRY(read_experts_gguf(source, c));
  }
  set_scales(c);
  return {};
}

void Gemma4::write_gguf(const ModelConfig& c, ConfigSink& sink) const {
  write_common_gguf(c, sink);
  std::vector<bool> slides;
  std::vector<int64_t> kv_heads, d_ff;
  for (int l = 0; l < c.n_layers; ++l) {
    slides.push_back(c.is_sliding(l));
    kv_heads.push_back(c.kv_heads_of(l));
    d_ff.push_back(c.d_ff_of(l));
  }
  sink.set("attention.sliding_window_pattern", slides);
  sink.set("attention.head_count_kv", kv_heads);
  sink.set("feed_forward_length", d_ff);
  sink.set("attention.shared_kv_layers", c.kv_sharing.n_layers);
  sink.set("attention.sliding_window", c.window);
  sink.set("attention.key_length_swa", c.sliding_head_dim);
  sink.set("attention.value_length_swa", c.sliding_head_dim);
  if (c.moe.n_experts > 0) write_experts_gguf(c, sink);
  sink.set("rope.freq_base_swa", c.sliding_rope->theta);
  sink.set("rope.dimension_count_swa", c.sliding_head_dim);
  sink.set("embedding_length_per_layer_input", c.per_layer_input.width);
  if (c.logit_softcap > 0) sink.set("final_logit_softcapping", c.logit_softcap);
}

}  // namespace

const Architecture& gemma4() {
  static const Gemma4 architecture;
  return architecture;
}

}  // namespace hearth
