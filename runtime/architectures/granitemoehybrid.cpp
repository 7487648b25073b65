// Granite 4: Granite (factors on embeddings, residuals, scores and logits) with Mamba 2 in most layers, positions only
// where the model says so, and a shared MLP with or without experts beside it.
#include <algorithm>

#include "runtime/architectures/common_config.h"
#include "runtime/architectures/experts.h"
#include "runtime/architectures/families.h"
#include "runtime/architectures/model_builder.h"
#include "runtime/architectures/parameter_table.h"

namespace hearth {
namespace {

// Rows of in_proj: the gate z, then x, B and C, which are filtered, then the step dt.
void add_mamba(ParameterTable& t, const ModelConfig& c) {
  const RecurrentConfig& r = c.recurrent;
  const int64_t C = c.d_model, V = r.v_width(), K = r.k_width(), H = r.n_v_heads, W = r.conv_width;
  const int64_t filtered = V + 2 * K, total = V + filtered + H;
  const ParameterAxis values = value_heads(r, r.v_dim), keys = key_heads(r), gates = value_heads(r, 1);
  auto rows = [&](const char* role, const ParameterAxis& axis, int64_t first, int64_t n) {
    t.matrix(role, {n, C}, {axis, "model"}, Storage("mamba.in_proj").rows(first, total),
             Storage("ssm_in").rows(first, total), c.mlp_bias);
  };
  auto filter = [&](const char* role, const ParameterAxis& axis, int64_t first, int64_t n) {
    t.weight(role, ParameterKind::filter, {n, W}, {axis, ""},
             Storage("mamba.conv1d.weight").rows(first, filtered).shaped({filtered, 1, W}),
             Storage("ssm_conv1d.weight").rows(first, filtered));
    if (r.conv_bias)
      t.weight(std::string(role) + "_bias", ParameterKind::bias, {n}, {axis},
               Storage("mamba.conv1d.bias").rows(first, filtered), Storage("ssm_conv1d.bias").rows(first, filtered));
  };
  rows("mamba_gate", values, 0, V);
  rows("mamba_x", values, V, V);
  rows("mamba_b", keys, 2 * V, K);
  rows("mamba_c", keys, 2 * V + K, K);
  rows("mamba_dt", gates, 2 * V + 2 * K, H);
  filter("conv_x", values, 0, V);
  filter("conv_b", keys, V, K);
  filter("conv_c", keys, V + K, K);
  t.weight("mamba_a_log", ParameterKind::bias, {H}, {gates}, "mamba.A_log",
           Storage("ssm_a").negative_exp().shaped({H, 1}));
  t.weight("mamba_step_offset", ParameterKind::bias, {H}, {gates}, "mamba.dt_bias", "ssm_dt.bias");
  t.weight("mamba_d", ParameterKind::bias, {H}, {gates}, "mamba.D", Storage("ssm_d").shaped({H, 1}));
  t.norm("mamba_norm", "mamba.norm", "ssm_norm", V).gguf.shape = {r.n_k_heads, V / std::max(1, r.n_k_heads)};
  t.matrix("mamba_out", {C, V}, {"model", values}, "mamba.out_proj", "ssm_out", c.mlp_bias);
}

// B is what keys are elsewhere, C what queries are, x what values are, and the step what beta is.
Value mamba(ModelBuilder& m, Value h) {
  auto filtered = [&](const char* matrix, const char* filter) {
    return m.b().silu(m.causal_conv(m.linear(h, matrix), filter));
  };
  const RecurrentConfig& r = m.config().recurrent;
  const Value x = m.heads(filtered("mamba_x", "conv_x"), r.v_dim), b = m.heads(filtered("mamba_b", "conv_b"), r.k_dim),
              c = m.heads(filtered("mamba_c", "conv_c"), r.k_dim);
  const ModelBuilder::Gates gates = m.decay(m.linear(h, "mamba_dt"), "mamba_a_log", "mamba_step_offset");
  const Value y = m.recurrence(c, b, x, gates.log_decay, gates.step, /*delta_rule=*/false, "mamba_d");
  return m.linear(m.group_norm(m.b().swiglu(m.linear(h, "mamba_gate"), m.columns(y)), "mamba_norm", r.n_k_heads),
                  "mamba_out");
}

constexpr HfKey kGranitemoehybridKeys[] = {{"attention_bias", false},
                                           {"attention_multiplier", 1.0},
                                           {"embedding_multiplier", 1.0},
                                           {"hidden_act", "silu", HfRule::only},
                                           {"hidden_size", 4096},
                                           {"intermediate_size", 11'008},
                                           {"layer_types", kNone},
                                           {"layers_block_type", kNone},
                                           {"logits_scaling", 1.0},
                                           {"mamba_conv_bias", true},
                                           {"mamba_d_conv", 4},
                                           {"mamba_d_head", kNone},
                                           {"mamba_d_state", 256},
                                           {"mamba_expand", 2},
                                           {"mamba_n_groups", 1},
                                           {"mamba_n_heads", 128},
                                           {"mamba_proj_bias", false},
                                           {"max_position_embeddings", 2048},
                                           {"num_attention_heads", 32},
                                           {"num_experts_per_tok", 2},
                                           {"num_hidden_layers", 32},
                                           {"num_key_value_heads", kNone},
                                           {"num_local_experts", 8},
                                           {"position_embedding_type", kNone},
                                           {"residual_multiplier", 1.0},
                                           {"rms_norm_eps", 1e-06},
                                           {"shared_intermediate_size", 1024},
                                           {"tie_word_embeddings", false},
                                           {"time_step_limit", kNone},
                                           {"vocab_size", 32'000}};

class GraniteMoeHybrid final : public Architecture {
 public:
  std::string_view family() const override { return "granitemoehybrid"; }
  std::string_view hf_architecture() const override { return "GraniteMoeHybridForCausalLM"; }
  std::span<const HfKey> hf_keys() const override { return kGranitemoehybridKeys; }
  std::string_view gguf_architecture() const override { return "granitehybrid"; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    ParameterTable t(c);
    t.embed();
    for (int l = 0; l < c.n_layers; ++l) {
      t.begin_layer(l);
      t.norm("attn_norm", "input_layernorm", "attn_norm");
      if (c.layer_kind(l) == LayerKind::linear)
        add_mamba(t, c);
      else
        t.attention({.qkv_bias = c.attention_bias, .o_bias = c.attention_bias, .gguf_rope_rows = true});
      t.norm("ffn_norm", "post_attention_layernorm", "ffn_norm");
      add_mlps(t, c);
    }
    return t.finish();
  }

  Value forward(ModelBuilder& m) const override {
    Value x = m.embed(m.tokens(), "embed");
    for (int l = 0; l < m.config().n_layers; ++l) {
      m.begin_layer(l, x);
      const Value h = m.norm(x, "attn_norm");
      x = m.residual(x, m.config().layer_kind(l) == LayerKind::linear ? mamba(m, h) : m.self_attention(h));
      const Value f = m.norm(x, "ffn_norm");
      x = m.residual(x, m.config().moe.n_experts > 0 ? m.experts(f) : m.mlp(f, "shared_"));
    }
    m.end_layers();
    return m.norm(x, "final_norm");
  }

  Result<void> read_hf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(granite().read_hf(source, c));
    TRY(read_mamba(source, c));
    TRY(read_layer_kinds(source, c));
    const std::string positions = TRY(source.string_or("position_embedding_type", "nope"));
    if (positions != "rope" && positions != "nope")
      return error(Code::unimplemented, "position_embedding_type \"{}\" is not supported (rope and nope are)",
                   positions.substr(0, 40));
    if (positions == "nope") c.layers_without_rope.assign(c.layer_kinds.size(), true);
    c.moe.n_experts = TRY(source.count("num_local_experts"));
    if (c.moe.n_experts > 0) c.moe.d_ff = c.d_ff;
    c.moe.d_ff_shared = TRY(source.count("shared_intermediate_size"));
    TRY(check_shared(c));
    if (c.moe.n_experts > 0) c.moe.routing.n_chosen = TRY(source.count("num_experts_per_tok"));
    c.moe.routing.normalise = true;
    return {};
  }
  void write_hf(const ModelConfig& c, ConfigSink& sink) const override {
    granite().write_hf(c, sink);
    sink.remove("mlp_bias");
    const RecurrentConfig& r = c.recurrent;
    sink.set("mamba_n_heads", r.n_v_heads);
    sink.set("mamba_d_head", r.v_dim);
    sink.set("mamba_n_groups", r.n_k_heads);
    sink.set("mamba_d_state", r.k_dim);
    sink.set("mamba_d_conv", r.conv_width);
    sink.set("mamba_expand", r.v_width() / c.d_model);
    sink.set("mamba_conv_bias", r.conv_bias);
    sink.set("mamba_proj_bias", c.mlp_bias);
    if (r.max_step > 0) sink.set("time_step_limit", std::vector<double>{r.min_step, r.max_step});
    std::vector<std::string> types;
    for (const LayerKind kind : c.layer_kinds) types.push_back(kind == LayerKind::linear ? "mamba" : "attention");
    sink.set("layer_types", std::move(types));
    sink.set("position_embedding_type", c.layers_without_rope.empty() ? "rope" : "nope");
    sink.set("num_local_experts", c.moe.n_experts);
    sink.set("num_experts_per_tok", c.moe.n_experts > 0 ? c.moe.routing.n_chosen : 0);
    sink.set("shared_intermediate_size", c.moe.d_ff_shared);
  }

  Result<void> read_gguf(const ConfigSource& source, ModelConfig& c) const override {
    TRY(read_common_gguf(source, c));
    TRY(read_granite_scales_gguf(source, c));
    RecurrentConfig& r = c.recurrent;
    r.n_v_heads = TRY(source.count("ssm.time_step_rank"));
    if (r.n_v_heads == 0) return error(Code::invalid_argument, "metadata key \"ssm.time_step_rank\" must be positive");
    r.v_dim = TRY(source.count("ssm.inner_size")) / r.n_v_heads;
    r.n_k_heads = TRY(source.count("ssm.group_count"));
    r.k_dim = TRY(source.count("ssm.state_size"));
    r.conv_width = TRY(source.count("ssm.conv_kernel"));
    const auto linear = std::find(c.layer_kinds.begin(), c.layer_kinds.end(), LayerKind::linear);
    r.conv_bias = source.has_tensor(fmt::format("blk.{}.ssm_conv1d.bias", linear - c.layer_kinds.begin()));
    c.mlp_bias = source.has_tensor(fmt::format("blk.{}.ssm_in.bias", linear - c.layer_kinds.begin()));
    if (!TRY(source.boolean_or("rope.scaling.finetuned", true)))
      c.layers_without_rope.assign(c.layer_kinds.size(), true);
    const auto full = std::find(c.layer_kinds.begin(), c.layer_kinds.end(), LayerKind::full);
    c.attention_bias = source.has_tensor(fmt::format("blk.{}.attn_q.bias", full - c.layer_kinds.begin()));
    c.moe.routing.normalise = true;
    c.moe.d_ff_shared = c.d_ff;
    if (!source.has("expert_count")) return check_shared(c);
    TRY(read_experts_gguf(source, c));
    return check_shared(c);
  }
  void write_gguf(const ModelConfig& c, ConfigSink& sink) const override {
    granite().write_gguf(c, sink);
    const RecurrentConfig& r = c.recurrent;
    std::vector<int64_t> kv_heads;
    for (const LayerKind kind : c.layer_kinds) kv_heads.push_back(kind == LayerKind::linear ? 0 : c.n_kv_heads);
    sink.set("attention.head_count_kv", std::move(kv_heads));
    sink.set("ssm.conv_kernel", r.conv_width);
    sink.set("ssm.state_size", r.k_dim);
    sink.set("ssm.group_count", r.n_k_heads);
    sink.set("ssm.inner_size", r.v_width());
    sink.set("ssm.time_step_rank", r.n_v_heads);
    sink.set("rope.scaling.finetuned", c.layers_without_rope.empty());
    sink.set("feed_forward_length", c.moe.n_experts > 0 ? c.moe.d_ff : c.moe.d_ff_shared);
    if (c.moe.n_experts == 0) return;
    write_experts_gguf(c, sink);
    sink.set("expert_shared_feed_forward_length", c.moe.d_ff_shared);
  }
  Result<void> fits_gguf(const ModelConfig& c) const override {
    if (c.recurrent.min_step == 0 && c.recurrent.max_step == 0) return {};
    return error(Code::unimplemented, "GGUF files of this family have no place for time_step_limit");
  }

 private:
  static Result<void> check_shared(const ModelConfig& c) {
    if (c.moe.d_ff_shared >= 1 && c.moe.d_ff_shared <= 1 << 20) return {};
    return error(Code::invalid_argument, "the width of the shared MLP must be 1 to {}, got {}", 1 << 20,
                 c.moe.d_ff_shared);
  }

  static void add_mlps(ParameterTable& t, const ModelConfig& c) {
    const int64_t C = c.d_model, E = c.moe.n_experts, F = c.moe.d_ff, S = c.moe.d_ff_shared;
    const Storage shared("shared_mlp.input_linear"), experts("block_sparse_moe.input_linear");
    if (E > 0) {
      t.matrix("router", {E, C}, {"", "model"}, "block_sparse_moe.router.layer", "ffn_gate_inp");
      t.matrix("experts_gate", {E, F, C}, {"expert", "ffn", "model"}, experts.rows(0, 2 * F), "ffn_gate_exps");
      t.matrix("experts_up", {E, F, C}, {"expert", "ffn", "model"}, experts.rows(F, 2 * F), "ffn_up_exps");
      t.matrix("experts_down", {E, C, F}, {"expert", "model", "ffn"}, "block_sparse_moe.output_linear",
               "ffn_down_exps");
    }
    const char* suffix = E > 0 ? "_shexp" : "";
    t.matrix("shared_gate", {S, C}, {"ffn", "model"}, shared.rows(0, 2 * S), std::string("ffn_gate") + suffix);
    t.matrix("shared_up", {S, C}, {"ffn", "model"}, shared.rows(S, 2 * S), std::string("ffn_up") + suffix);
    t.matrix("shared_down", {C, S}, {"model", "ffn"}, "shared_mlp.output_linear", std::string("ffn_down") + suffix);
  }

  static Result<void> read_mamba(const ConfigSource& source, ModelConfig& c) {
    RecurrentConfig& r = c.recurrent;
    r.n_v_heads = TRY(source.count("mamba_n_heads"));
    if (r.n_v_heads == 0) return error(Code::invalid_argument, "mamba_n_heads must be positive");
    const int64_t width = int64_t{TRY(source.count("mamba_expand"))} * c.d_model;
    const bool is_auto = !source.has("mamba_d_head") || source.string("mamba_d_head").value_or("") == "auto";
    const int64_t d_head = is_auto ? width / r.n_v_heads : TRY(source.count("mamba_d_head"));
    r.v_dim = static_cast<int>(std::min<int64_t>(d_head, 1 << 20));
    if (int64_t{r.n_v_heads} * r.v_dim != width)
      return error(Code::invalid_argument, "{} heads of {} do not make the {} of mamba_expand times hidden_size",
                   r.n_v_heads, r.v_dim, width);
    r.n_k_heads = TRY(source.count("mamba_n_groups"));
    r.k_dim = TRY(source.count("mamba_d_state"));
    r.conv_width = TRY(source.count("mamba_d_conv"));
    r.conv_bias = TRY(source.boolean("mamba_conv_bias"));
    c.mlp_bias = TRY(source.boolean("mamba_proj_bias"));
    if (!source.has("time_step_limit")) return {};
    const std::vector<double> limit = TRY(source.numbers("time_step_limit"));
    if (limit.size() != 2 || !(limit[0] >= 0) || !(limit[1] > limit[0]))
      return error(Code::invalid_argument, "time_step_limit must be two rising numbers");
    r.min_step = limit[0];
    r.max_step = limit[1] < 1e30 ? limit[1] : 0;
    return {};
  }

  // "mamba" and "attention" in older files.
  static Result<void> read_layer_kinds(const ConfigSource& source, ModelConfig& c) {
    const char* key = source.has("layers_block_type") ? "layers_block_type" : "layer_types";
    c.layer_kinds.clear();
    if (!source.has(key)) {
      c.layer_kinds.assign(static_cast<size_t>(std::clamp(c.n_layers, 0, kMostLayers)), LayerKind::linear);
      return {};
    }
    for (const std::string& type : TRY(source.strings(key))) {
      const bool is_linear = type == "mamba" || type == "linear_attention";
      if (!is_linear && type != "attention" && type != "full_attention")
        return error(Code::unimplemented, "layers of the type \"{}\" are not supported for this family",
                     type.substr(0, 40));
      c.layer_kinds.push_back(is_linear ? LayerKind::linear : LayerKind::full);
    }
    return {};
  }
};

}  // namespace

const Architecture& granitemoehybrid() {
  static const GraniteMoeHybrid architecture;
  return architecture;
}

}  // namespace hearth
