// Gated delta nets: their parameters, their part of the graph, their keys.
#include "runtime/architectures/delta_net.h"

#include <algorithm>
#include <cmath>

#include "runtime/architectures/common_config.h"
#include "runtime/architectures/experts.h"
#include "runtime/architectures/model_builder.h"

namespace hearth {
namespace {

// Where the matrices of a linear layer are in Hugging Face files.
struct DeltaStorage {
  Storage q, k, v, gate, beta, decay;
};

DeltaStorage separate(const RecurrentConfig& r) {
  const int64_t K = r.k_width(), total = 2 * K + r.v_width();
  const Storage qkv("linear_attn.in_proj_qkv");
  return {qkv.rows(0, total),      qkv.rows(K, total),      qkv.rows(2 * K, total),
          "linear_attn.in_proj_z", "linear_attn.in_proj_b", "linear_attn.in_proj_a"};
}

// For each key head: the betas of its value heads (0), then their decays (1).
Storage fused_gate(const RecurrentConfig& r, const char* name, int which) {
  const int64_t n = r.n_v_heads / std::max(1, r.n_k_heads);
  return Storage(name).rows(which * n, 2 * r.n_v_heads, 2 * n).in_blocks(n);
}

// For each key head: q, k, the values of its value heads, their gates; and their betas, their decays.
DeltaStorage fused_by_head(const RecurrentConfig& r) {
  const int64_t per_k_head = r.n_v_heads / std::max(1, r.n_k_heads), V = per_k_head * r.v_dim,
                step = 2 * r.k_dim + 2 * V;
  const Storage qkvz("linear_attn.in_proj_qkvz");
  const char* ba = "linear_attn.in_proj_ba";
  auto part = [&](int64_t first, int64_t n) { return qkvz.rows(first, r.n_k_heads * step, step).in_blocks(n); };
  return {part(0, r.k_dim),         part(r.k_dim, r.k_dim), part(2 * r.k_dim, V),
          part(2 * r.k_dim + V, V), fused_gate(r, ba, 0),   fused_gate(r, ba, 1)};
}

void add_delta_net(ParameterTable& t, const ModelConfig& c, const DeltaStorage& hf, bool is_fused) {
  const RecurrentConfig& r = c.recurrent;
  const int64_t C = c.d_model, K = r.k_width(), V = r.v_width(), H = r.n_v_heads, W = r.conv_width;
  const int64_t total = 2 * K + V;
  const ParameterAxis keys = key_heads(r), values = value_heads(r, r.v_dim), gates = value_heads(r, 1);
  auto part = [&](const char* matrix, const char* filter, const Storage& storage, const ParameterAxis& axis,
                  int64_t first, int64_t n) {
    t.matrix(matrix, {n, C}, {axis, "model"}, storage, Storage("attn_qkv").rows(first, total));
    t.weight(filter, ParameterKind::filter, {n, W}, {axis, ""},
             Storage("linear_attn.conv1d.weight").rows(first, total).shaped({total, 1, W}),
             Storage("ssm_conv1d.weight").rows(first, total));
  };
  part("delta_q", "conv_q", hf.q, keys, 0, K);
  part("delta_k", "conv_k", hf.k, keys, K, K);
  part("delta_v", "conv_v", hf.v, values, 2 * K, V);
  t.matrix("delta_gate", {V, C}, {values, "model"}, hf.gate, "attn_gate");
  t.matrix("delta_beta", {H, C}, {gates, "model"}, hf.beta,
           is_fused ? fused_gate(r, "ssm_ba", 0) : Storage("ssm_beta"));
  t.matrix("delta_decay", {H, C}, {gates, "model"}, hf.decay,
           is_fused ? fused_gate(r, "ssm_ba", 1) : Storage("ssm_alpha"));
  t.weight("delta_a_log", ParameterKind::bias, {H}, {gates}, "linear_attn.A_log", Storage("ssm_a").negative_exp());
  t.weight("delta_dt_bias", ParameterKind::bias, {H}, {gates}, "linear_attn.dt_bias", "ssm_dt.bias");
  t.norm("delta_norm", "linear_attn.norm", "ssm_norm", r.v_dim).hf.offset = 0;
  t.matrix("delta_out", {C, V}, {"model", values}, "linear_attn.out_proj", "ssm_out");
}

Value delta_net(ModelBuilder& m, Value h) {
  const RecurrentConfig& r = m.config().recurrent;
  auto filtered = [&](const char* matrix, const char* filter) {
    return m.b().silu(m.causal_conv(m.linear(h, matrix), filter));
  };
  const float scale = 1.0f / std::sqrt(static_cast<float>(r.k_dim));
  const Value q = m.l2_norm(m.heads(filtered("delta_q", "conv_q"), r.k_dim), scale);
  const Value k = m.l2_norm(m.heads(filtered("delta_k", "conv_k"), r.k_dim), 1);
  const Value v = m.heads(filtered("delta_v", "conv_v"), r.v_dim);
  const Value log_decay = m.decay(m.linear(h, "delta_decay"), "delta_a_log", "delta_dt_bias").log_decay;
  const Value y = m.recurrence(q, k, v, log_decay, m.sigmoid(m.linear(h, "delta_beta")), /*delta_rule=*/true, "");
  return m.linear(m.b().swiglu(m.linear(h, "delta_gate"), m.columns(m.norm(y, "delta_norm"))), "delta_out");
}

void add_gated_attention(ParameterTable& t, const ModelConfig& c) {
  const int64_t C = c.d_model, D = c.head_dim, H = c.n_heads * D, K = c.n_kv_heads * D;
  const ParameterAxis heads = ParameterAxis::heads(c.n_heads, c.n_kv_heads, D), kv_heads("kv_heads", D);
  const bool has_bias = c.attention_bias;
  auto half = [&](const char* name, int64_t first) { return Storage(name).rows(first, 2 * H, 2 * D).in_blocks(D); };
  t.matrix("wq", {H, C}, {heads, "model"}, half("self_attn.q_proj", 0), half("attn_q", 0), has_bias);
  t.matrix("attn_gate", {H, C}, {heads, "model"}, half("self_attn.q_proj", D), half("attn_q", D), has_bias);
  t.matrix("wk", {K, C}, {kv_heads, "model"}, "self_attn.k_proj", "attn_k", has_bias);
  t.matrix("wv", {K, C}, {kv_heads, "model"}, "self_attn.v_proj", "attn_v", has_bias);
  t.matrix("wo", {C, H}, {"model", heads}, "self_attn.o_proj", "attn_output", has_bias);
  t.qk_norm();
}

Result<void> read_delta_net(const ConfigSource& source, ModelConfig& c) {
  RecurrentConfig& r = c.recurrent;
  r.n_k_heads = TRY(source.count("linear_num_key_heads"));
  r.n_v_heads = TRY(source.count("linear_num_value_heads"));
  r.k_dim = TRY(source.count("linear_key_head_dim"));
  r.v_dim = TRY(source.count("linear_value_head_dim"));
  r.conv_width = TRY(source.count("linear_conv_kernel_dim"));
  const int interval = TRY(source.count("full_attention_interval"));
  if (interval == 0 && !source.has("layer_types"))
    return error(Code::invalid_argument, "configuration key \"full_attention_interval\" is 0");
  c.layer_kinds.clear();
  for (int l = 0; l < std::min(c.n_layers, kMostLayers); ++l)
    c.layer_kinds.push_back(interval > 0 && (l + 1) % interval == 0 ? LayerKind::full : LayerKind::linear);
  return read_layer_types_hf(source, c);
}

Result<void> read_experts(const ConfigSource& source, ModelConfig& c) {
  MoeConfig& moe = c.moe;
  moe.n_experts = TRY(source.count("num_experts"));
  moe.d_ff = TRY(source.count("moe_intermediate_size"));
  moe.d_ff_shared = TRY(source.count("shared_expert_intermediate_size"));
  moe.routing.n_chosen = TRY(source.count("num_experts_per_tok"));
  moe.routing.normalise = TRY(source.boolean_or("norm_topk_prob", true));
  if (c.d_ff == 0) c.d_ff = moe.d_ff;
  const int step = TRY(source.count_or("decoder_sparse_step", 1));
  std::vector<int64_t> dense;
  if (source.has("mlp_only_layers")) dense = TRY(source.integers("mlp_only_layers"));
  if (step == 1 && dense.empty()) return {};
  for (int l = 0; l < std::min(c.n_layers, kMostLayers); ++l)
    moe.dense_layers.push_back((step > 0 && (l + 1) % step != 0) ||
                               std::find(dense.begin(), dense.end(), l) != dense.end());
  return {};
}

void write_experts(const ModelConfig& c, ConfigSink& sink) {
  sink.set("num_experts", c.moe.n_experts);
  sink.set("moe_intermediate_size", c.moe.d_ff);
  sink.set("shared_expert_intermediate_size", c.moe.d_ff_shared);
  sink.set("num_experts_per_tok", c.moe.routing.n_chosen);
  sink.set("norm_topk_prob", c.moe.routing.normalise);
  std::vector<int64_t> dense;
  for (int l = 0; l < c.n_layers; ++l)
    if (!c.moe.has_experts(l)) dense.push_back(l);
  if (!dense.empty()) sink.set("mlp_only_layers", std::move(dense));
}

}  // namespace

HeadOrder tiled_order(std::string_view role, const RecurrentConfig& r) {
  const std::string_view name = role.substr(role.rfind('.') + 1);
  auto is_one_of = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  const bool is_of_columns = name == "delta_out",
             is_wide = is_of_columns || is_one_of({"delta_v", "conv_v", "delta_gate"});
  if (!is_wide && !is_one_of({"delta_beta", "delta_decay", "delta_a_log", "delta_dt_bias"})) return {};
  const int64_t width = is_wide ? r.v_dim : 1, n_k = std::max(1, r.n_k_heads), n_each = r.n_v_heads / n_k;
  HeadOrder out{{}, is_of_columns};
  for (int64_t h = 0; h < r.n_v_heads; ++h)
    for (int64_t i = 0; i < width; ++i) out.from.push_back((h % n_k * n_each + h / n_k) * width + i);
  return out;
}

std::vector<ParameterSpec> DeltaNetFamily::parameters(const ModelConfig& c) const {
  const DeltaStorage storage = is_fused_by_head() ? fused_by_head(c.recurrent) : separate(c.recurrent);
  ParameterTable t(c);
  t.set_hf_norm_offset(1);
  t.embed();
  for (int l = 0; l < c.n_layers; ++l) {
    t.begin_layer(l);
    t.norm("attn_norm", "input_layernorm", "attn_norm");
    if (c.layer_kind(l) == LayerKind::linear)
      add_delta_net(t, c, storage, is_fused_by_head());
    else
      add_gated_attention(t, c);
    t.norm("ffn_norm", "post_attention_layernorm", "post_attention_norm");
    if (!c.moe.has_experts(l)) {
      t.glu();
      continue;
    }
    add_experts(t, c, {.correction = {}, .shared = "mlp.shared_expert."});
    t.matrix("shared_router", {1, c.d_model}, {"", "model"}, "mlp.shared_expert_gate", "ffn_gate_inp_shexp");
  }
  return t.finish();
}

Value DeltaNetFamily::forward(ModelBuilder& m) const {
  Value x = m.embed(m.tokens(), "embed");
  for (int l = 0; l < m.config().n_layers; ++l) {
    m.begin_layer(l, x);
    const Value h = m.norm(x, "attn_norm");
    x = m.residual(x, m.config().layer_kind(l) == LayerKind::linear ? delta_net(m, h) : m.self_attention(h));
    x = m.residual(x, m.experts_or_mlp(m.norm(x, "ffn_norm")));
  }
  m.end_layers();
  return m.norm(x, "final_norm");
}

Result<void> DeltaNetFamily::read_hf(const ConfigSource& source, ModelConfig& c) const {
  TRY(read_common_hf(source, c));
  TRY(read_delta_net(source, c));
  return has_experts() ? read_experts(source, c) : Result<void>();
}

void DeltaNetFamily::write_hf(const ModelConfig& c, ConfigSink& sink) const {
  write_common_hf(c, sink);
  sink.remove("mlp_bias");
  const RecurrentConfig& r = c.recurrent;
  sink.set("linear_num_key_heads", r.n_k_heads);
  sink.set("linear_num_value_heads", r.n_v_heads);
  sink.set("linear_key_head_dim", r.k_dim);
  sink.set("linear_value_head_dim", r.v_dim);
  sink.set("linear_conv_kernel_dim", r.conv_width);
  write_layer_types_hf(c, sink);
  if (has_experts()) write_experts(c, sink);
}

Result<void> DeltaNetFamily::read_gguf(const ConfigSource& source, ModelConfig& c) const {
  TRY(read_common_gguf(source, c));
  c.n_layers -= TRY(source.count_or("nextn_predict_layers", 0));
  RecurrentConfig& r = c.recurrent;
  r.n_k_heads = TRY(source.count("ssm.group_count"));
  r.n_v_heads = TRY(source.count("ssm.time_step_rank"));
  r.k_dim = TRY(source.count("ssm.state_size"));
  r.v_dim = TRY(source.count("ssm.inner_size")) / std::max(1, r.n_v_heads);
  r.conv_width = TRY(source.count("ssm.conv_kernel"));
  r.tiled_heads = is_tiled_in_gguf() && r.n_k_heads != r.n_v_heads;
  const int interval = TRY(source.count_or("full_attention_interval", 4));
  c.layer_kinds.clear();
  for (int l = 0; l < std::min(c.n_layers, kMostLayers); ++l) {
    const bool is_linear = source.has_tensor(fmt::format("blk.{}.ssm_a", l));
    const bool is_full = source.has_tensor(fmt::format("blk.{}.attn_output.weight", l));
    const bool by_interval = interval > 0 && (l + 1) % interval == 0;
    c.layer_kinds.push_back(is_linear || (!is_full && !by_interval) ? LayerKind::linear : LayerKind::full);
  }
  if (!has_experts()) return {};
  c.moe.routing.normalise = true;
  TRY(read_experts_gguf(source, c));
  if (c.d_ff == 0) c.d_ff = c.moe.d_ff;
  return {};
}

void DeltaNetFamily::write_gguf(const ModelConfig& c, ConfigSink& sink) const {
  write_common_gguf(c, sink);
  const RecurrentConfig& r = c.recurrent;
  sink.set("ssm.conv_kernel", r.conv_width);
  sink.set("ssm.state_size", r.k_dim);
  sink.set("ssm.group_count", r.n_k_heads);
  sink.set("ssm.time_step_rank", r.n_v_heads);
  sink.set("ssm.inner_size", r.v_width());
  const auto full = std::find(c.layer_kinds.begin(), c.layer_kinds.end(), LayerKind::full);
  sink.set("full_attention_interval", full - c.layer_kinds.begin() + 1);
  sink.set("rope.dimension_sections", std::vector<int64_t>{11, 11, 10, 0});  // of pictures; text has one position
  if (!has_experts()) return;
  write_experts_gguf(c, sink);
  sink.set("expert_shared_feed_forward_length", c.moe.d_ff_shared);
}

Result<void> DeltaNetFamily::fits_gguf(const ModelConfig& c) const {
  const RecurrentConfig& r = c.recurrent;
  if (is_tiled_in_gguf() && r.n_k_heads != r.n_v_heads && !r.tiled_heads)
    return error(Code::unimplemented,
                 "GGUF files of this family have the value heads of linear layers in another order");
  const auto full = std::find(c.layer_kinds.begin(), c.layer_kinds.end(), LayerKind::full) - c.layer_kinds.begin();
  for (int l = 0; l < c.n_layers; ++l)
    if ((c.layer_kind(l) == LayerKind::full) != ((l + 1) % (full + 1) == 0))
      return error(Code::unimplemented, "GGUF files of this family have full attention in every n-th layer");
  return {};
}

Result<void> DeltaNetFamily::fits_hf(const ModelConfig& c) const {
  if (!c.recurrent.tiled_heads) return {};
  return error(Code::unimplemented,
               "this model came from a GGUF file, which has the value heads of linear layers in another order than "
               "Hugging Face folders; export it as GGUF");
}

bool DeltaNetFamily::may_skip(std::string_view tensor, const ModelConfig& c) const {
  return tensor.starts_with("mtp.") || is_beyond_layers(tensor, c);
}

}  // namespace hearth
