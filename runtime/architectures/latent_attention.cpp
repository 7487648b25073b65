// Latent attention: parameters and graph.
#include "runtime/architectures/latent_attention.h"

#include <cmath>

#include "base/check.h"
#include "runtime/architectures/model_builder.h"
#include "runtime/ops/concat_heads/concat_heads.h"
#include "runtime/ops/head_matmul/head_matmul.h"
#include "runtime/ops/rope/rope.h"
#include "runtime/ops/slice_axis/slice_axis.h"

namespace hearth {
namespace {

constexpr double kLatentNormEps = 1e-6;  // of the two norms within the projections, whatever the model's own is

// YaRN multiplies the scores by the square of its magnitude for mscale_all_dim.
float score_scale(const ModelConfig& c) {
  const RopeConfig& rope = c.rope;
  double magnitude = 1;
  if (rope.scaling != RopeConfig::Scaling::none && rope.mscale_all_dim > 0 && rope.factor > 1)
    magnitude = 0.1 * rope.mscale_all_dim * std::log(rope.factor) + 1;
  return static_cast<float>(magnitude * magnitude / std::sqrt(c.mla.nope_dim + c.mla.rope_dim));
}

}  // namespace

void add_latent_attention(ParameterTable& t, const ModelConfig& c) {
  const MlaConfig& mla = c.mla;
  const int64_t C = c.d_model, H = c.n_heads, R = mla.kv_rank, rope = mla.rope_dim, nope = mla.nope_dim,
                v = mla.value_dim;
  const std::string block = "self_attn.";
  if (mla.q_rank > 0) {
    t.matrix("wq_a", {mla.q_rank, C}, {"rank", "model"}, block + "q_a_proj", "attn_q_a", c.attention_bias);
    t.norm("q_a_norm", block + "q_a_layernorm", "attn_q_a_norm", mla.q_rank);
    t.matrix("wq_b", {H * (nope + rope), mla.q_rank}, {{"heads", nope + rope}, "rank"}, block + "q_b_proj", "attn_q_b");
  } else {
    t.matrix("wq", {H * (nope + rope), C}, {{"heads", nope + rope}, "model"}, block + "q_proj", "attn_q");
  }
  const Storage hf_kv(block + "kv_a_proj_with_mqa"), gguf_kv("attn_kv_a_mqa"), hf_kv_b(block + "kv_b_proj");
  t.matrix("w_kv_a", {R, C}, {"rank", "model"}, hf_kv.rows(0, R + rope), gguf_kv.rows(0, R + rope), c.attention_bias);
  t.matrix("w_k_rope", {rope, C}, {"head", "model"}, hf_kv.rows(R, R + rope), gguf_kv.rows(R, R + rope),
           c.attention_bias);
  t.norm("kv_a_norm", block + "kv_a_layernorm", "attn_kv_a_norm", R);
  t.matrix("w_k_b", {H, nope, R}, {"heads", "head", "rank"}, hf_kv_b.rows(0, nope + v).joined(),
           Storage("attn_k_b").transposed());
  t.matrix("w_v_b", {H, v, R}, {"heads", "head", "rank"}, hf_kv_b.rows(nope, nope + v).joined(), "attn_v_b");
  t.matrix("wo", {C, H * v}, {"model", {"heads", v}}, block + "o_proj", "attn_output", c.attention_bias);
}

Value ModelBuilder::latent_rope(Value x, int head_dim, int begin) {
  const RopeTable table = rope_table(config_.rope, head_dim, max_seq_len_);
  return builder_.apply(std::make_shared<Rope>(head_dim, table.inverse_frequencies, table.magnitude, false,
                                               RopeLayout{begin, config_.mla.rope_interleaved}),
                        {x, positions_});
}

Value ModelBuilder::head_linear(Value x, const std::string& role, bool trans) {
  const Value w = declared(role);
  CHECK(w);
  return builder_.apply(std::make_shared<HeadMatmul>(trans), {x, w});
}

Value ModelBuilder::latent_attention(Value h) {
  const MlaConfig& mla = config_.mla;
  const int head = mla.nope_dim + mla.rope_dim;
  Value q = mla.q_rank > 0 ? linear(norm(linear(h, "wq_a"), "q_a_norm", kLatentNormEps), "wq_b") : linear(h, "wq");
  q = latent_rope(heads(q, head), head, mla.nope_dim);
  auto part = [&](int begin, int n) { return builder_.apply(std::make_shared<SliceAxis>(2, begin, n), {q}); };
  const Value row = heads(norm(linear(h, "w_kv_a"), "kv_a_norm", kLatentNormEps), mla.kv_rank);
  const Value k_rope = latent_rope(heads(linear(h, "w_k_rope"), mla.rope_dim), mla.rope_dim, 0);
  const Value query =
      builder_.apply(std::make_shared<ConcatHeads>(),
                     {head_linear(part(0, mla.nope_dim), "w_k_b", false), part(mla.nope_dim, mla.rope_dim)});
  const Value key = builder_.apply(std::make_shared<ConcatHeads>(), {row, k_rope});
  const AttentionAttributes one_kv_head{.n_heads = config_.n_heads,
                                        .n_kv_heads = 1,
                                        .head_dim = mla.kv_rank + mla.rope_dim,
                                        .value_dim = mla.kv_rank,
                                        .softmax_scale = score_scale(config_)};
  return linear(columns(head_linear(attention(one_kv_head, query, key, row), "w_v_b", true)), "wo");
}

}  // namespace hearth
