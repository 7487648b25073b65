// ParameterTable: names and shapes of the usual blocks.
#include "runtime/architectures/parameter_table.h"

#include <fmt/format.h>

namespace hearth {

ParameterTable::ParameterTable(const ModelConfig& config, std::string hf_root, std::string hf_layers)
    : c_(config), hf_root_(std::move(hf_root)), hf_layers_(std::move(hf_layers)), hf_(hf_root_) {}

void ParameterTable::begin_layer(int layer) {
  layer_ = layer;
  role_ = fmt::format("layers.{}.", layer);
  hf_ = fmt::format("{}{}{}.", hf_root_, hf_layers_, layer);
  gguf_ = fmt::format("blk.{}.", layer);
}

void ParameterTable::end_layers() {
  role_.clear();
  hf_ = hf_root_;
  gguf_.clear();
}

Storage ParameterTable::within(const Storage& storage, const std::string& prefix, const char* suffix) const {
  Storage out = storage;
  if (!out.name.empty()) out.name = prefix + out.name + suffix;
  return out;
}

ParameterSpec& ParameterTable::norm(std::string_view role, std::string_view hf, std::string_view gguf, int64_t size) {
  specs_.push_back({role_ + std::string(role),
                    ParameterKind::norm,
                    {size > 0 ? size : c_.d_model},
                    {size > 0 ? "head" : "model"},
                    within(Storage(std::string(hf)).plus(hf_norm_offset_), hf_, ".weight"),
                    within(Storage(std::string(gguf)), gguf_, ".weight")});
  return specs_.back();
}

void ParameterTable::layer_norm(std::string_view role, std::string_view hf, std::string_view gguf) {
  norm(role, hf, gguf);
  specs_.push_back({role_ + std::string(role) + "_bias",
                    ParameterKind::bias,
                    {c_.d_model},
                    {"model"},
                    within(Storage(std::string(hf)), hf_, ".bias"),
                    within(Storage(std::string(gguf)), gguf_, ".bias")});
}

void ParameterTable::embedding(std::string_view role, int64_t n, ParameterAxis axis, std::string_view hf,
                               std::string_view gguf) {
  specs_.push_back({role_ + std::string(role),
                    ParameterKind::embedding,
                    {n, c_.d_model},
                    {std::move(axis), "model"},
                    within(Storage(std::string(hf)), hf_, ".weight"),
                    within(Storage(std::string(gguf)), gguf_, ".weight")});
}

void ParameterTable::matrix(std::string_view role, Shape shape, std::vector<ParameterAxis> axes, const Storage& hf,
                            const Storage& gguf, bool has_bias) {
  const std::string name = role_ + std::string(role);
  specs_.push_back(
      {name, ParameterKind::matrix, shape, axes, within(hf, hf_, ".weight"), within(gguf, gguf_, ".weight")});
  if (has_bias)
    specs_.push_back({name + "_bias",
                      ParameterKind::bias,
                      {shape[0]},
                      {axes[0]},
                      within(hf, hf_, ".bias"),
                      within(gguf, gguf_, ".bias")});
}

void ParameterTable::weight(std::string_view role, ParameterKind kind, Shape shape, std::vector<ParameterAxis> axes,
                            const Storage& hf, const Storage& gguf) {
  specs_.push_back(
      {role_ + std::string(role), kind, shape, std::move(axes), within(hf, hf_, ""), within(gguf, gguf_, "")});
}

void ParameterTable::embed() {
  embedding("embed", c_.vocab_size, "vocabulary", "embed_tokens", "token_embd");
}

void ParameterTable::attention(const Attention& what) {
  const int64_t C = c_.d_model, head_dim = c_.head_dim_of(layer_), H = c_.n_heads * head_dim;
  const int n_kv_heads = c_.kv_heads_of(layer_);
  const int64_t K = n_kv_heads * head_dim;
  const int64_t total = H + 2 * K;
  const ParameterAxis heads = ParameterAxis::heads(c_.n_heads, n_kv_heads, head_dim), kv_heads("kv_heads", head_dim);
  struct Part {
    const char *role, *hf, *gguf;
    int64_t first, n;
    int rope_heads;
  };
  for (const Part& part : {Part{"wq", "self_attn.q_proj", "attn_q", 0, H, c_.n_heads},
                           {"wk", "self_attn.k_proj", "attn_k", H, K, n_kv_heads},
                           {"wv", "self_attn.v_proj", "attn_v", H + K, K, 0}}) {
    if (part.first > 0 && !what.has_keys) continue;
    if (part.first > H && !what.has_values) continue;
    Storage hf = what.hf_fused ? Storage("self_attn.qkv_proj").rows(part.first, total) : Storage(part.hf);
    Storage gguf = what.gguf_fused ? Storage("attn_qkv").rows(part.first, total) : Storage(part.gguf);
    if (what.hf_rope_rows) hf = hf.rope(part.rope_heads, c_.rope.rotary_dim);
    if (what.gguf_rope_rows) gguf = gguf.rope(part.rope_heads, c_.rope.rotary_dim);
    matrix(part.role, {part.n, C}, {part.first == 0 ? heads : kv_heads, "model"}, hf, gguf, what.qkv_bias);
  }
  matrix("wo", {C, H}, {"model", heads}, "self_attn.o_proj", "attn_output", what.o_bias);
}

void ParameterTable::qk_norm(int64_t size_q, int64_t size_k) {
  norm("q_norm", "self_attn.q_norm", "attn_q_norm", size_q > 0 ? size_q : c_.head_dim_of(layer_));
  norm("k_norm", "self_attn.k_norm", "attn_k_norm", size_k > 0 ? size_k : c_.head_dim_of(layer_));
}

void ParameterTable::glu(bool hf_fused, bool gguf_fused, int64_t d_ff) {
  const int64_t C = c_.d_model, F = d_ff > 0 ? d_ff : c_.d_ff_of(layer_);
  const Storage fused_hf("mlp.gate_up_proj"), fused_gguf("ffn_up");
  matrix("w_gate", {F, C}, {"ffn", "model"}, hf_fused ? fused_hf.rows(0, 2 * F) : Storage("mlp.gate_proj"),
         gguf_fused ? fused_gguf.rows(0, 2 * F) : Storage("ffn_gate"), c_.mlp_bias);
  matrix("w_up", {F, C}, {"ffn", "model"}, hf_fused ? fused_hf.rows(F, 2 * F) : Storage("mlp.up_proj"),
         gguf_fused ? fused_gguf.rows(F, 2 * F) : Storage("ffn_up"), c_.mlp_bias);
  matrix("w_down", {C, F}, {"model", "ffn"}, "mlp.down_proj", "ffn_down", c_.mlp_bias);
}

std::vector<ParameterSpec> ParameterTable::finish() {
  end_layers();
  norm("final_norm", "norm", "output_norm");
  if (!c_.tied_embeddings)
    specs_.push_back({"lm_head",
                      ParameterKind::matrix,
                      {c_.vocab_size, c_.d_model},
                      {"vocabulary", "model"},
                      "lm_head.weight",
                      "output.weight"});
  return std::move(specs_);
}

std::vector<ParameterSpec> plain_decoder(const ModelConfig& config, const ParameterTable::Attention& attention) {
  ParameterTable t(config);
  t.embed();
  for (int l = 0; l < config.n_layers; ++l) {
    t.begin_layer(l);
    t.norm("attn_norm", "input_layernorm", "attn_norm");
    t.attention(attention);
    t.norm("ffn_norm", "post_attention_layernorm", "ffn_norm");
    t.glu();
  }
  return t.finish();
}

}  // namespace hearth
