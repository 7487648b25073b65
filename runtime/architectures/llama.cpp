// Llama 2 and 3: pre-norm decoder, grouped-query attention with rotary positions, SwiGLU, tied or untied embeddings.
#include "runtime/architectures/families.h"
#include "runtime/architectures/model_builder.h"

namespace hearth {
namespace {

class Llama final : public Architecture {
 public:
  std::string_view family() const override { return "llama"; }
  std::string_view hf_architecture() const override { return "LlamaForCausalLM"; }
  std::string_view gguf_architecture() const override { return "llama"; }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    using enum ParameterKind;
    const int64_t C = c.d_model, H = int64_t{c.n_heads} * c.head_dim, K = int64_t{c.n_kv_heads} * c.head_dim,
                  F = c.d_ff, V = c.vocab_size;
    std::vector<ParameterSpec> p;
    p.push_back({"embed", embedding, {V, C}, {"V", "C"}, "model.embed_tokens.weight", "token_embd.weight"});
    for (int l = 0; l < c.n_layers; ++l) {
      const std::string role = fmt::format("layers.{}.", l), hf = fmt::format("model.layers.{}.", l),
                        gguf = fmt::format("blk.{}.", l);
      auto matrix = [&](const char* name, Shape shape, std::vector<std::string> axes, const char* hf_name,
                        const char* gguf_name, bool has_bias, int rope_heads = 0) {
        const Transform transform = rope_heads > 0 ? Transform::gguf_rope_rows : Transform::none;
        p.push_back({role + name, ParameterKind::matrix, shape, axes, hf + hf_name + ".weight",
                     gguf + gguf_name + ".weight", transform, rope_heads});
        if (has_bias)
          p.push_back({role + name + "_bias",
                       bias,
                       {shape[0]},
                       {axes[0]},
                       hf + hf_name + ".bias",
                       gguf + gguf_name + ".bias",
                       transform,
                       rope_heads});
      };
      p.push_back({role + "attn_norm", norm, {C}, {"C"}, hf + "input_layernorm.weight", gguf + "attn_norm.weight"});
      matrix("wq", {H, C}, {"H", "C"}, "self_attn.q_proj", "attn_q", c.attention_bias, c.n_heads);
      matrix("wk", {K, C}, {"H", "C"}, "self_attn.k_proj", "attn_k", c.attention_bias, c.n_kv_heads);
      matrix("wv", {K, C}, {"H", "C"}, "self_attn.v_proj", "attn_v", c.attention_bias);
      matrix("wo", {C, H}, {"C", "H"}, "self_attn.o_proj", "attn_output", c.attention_bias);
      p.push_back(
          {role + "ffn_norm", norm, {C}, {"C"}, hf + "post_attention_layernorm.weight", gguf + "ffn_norm.weight"});
      matrix("w_gate", {F, C}, {"F", "C"}, "mlp.gate_proj", "ffn_gate", c.mlp_bias);
      matrix("w_up", {F, C}, {"F", "C"}, "mlp.up_proj", "ffn_up", c.mlp_bias);
      matrix("w_down", {C, F}, {"C", "F"}, "mlp.down_proj", "ffn_down", c.mlp_bias);
    }
    p.push_back({"final_norm", norm, {C}, {"C"}, "model.norm.weight", "output_norm.weight"});
    if (!c.tied_embeddings) p.push_back({"lm_head", matrix, {V, C}, {"V", "C"}, "lm_head.weight", "output.weight"});
    return p;
  }

  Value forward(ModelBuilder& m) const override {
    const ModelConfig& c = m.config();
    Value x = m.embed(m.tokens(), "embed");
    for (int l = 0; l < c.n_layers; ++l) {
      m.begin_layer(l, x);
      Value h = m.norm(x, "attn_norm");
      const Value q = m.rope(m.linear(h, "wq"));
      const Value k = m.rope(m.linear(h, "wk"));
      const Value v = m.linear(h, "wv");
      x = m.residual(x, m.linear(m.attention(q, k, v), "wo"));
      h = m.norm(x, "ffn_norm");
      x = m.residual(x, m.linear(m.swiglu(m.linear(h, "w_gate"), m.linear(h, "w_up")), "w_down"));
    }
    m.end_layers();
    return m.norm(x, "final_norm");
  }
};

}  // namespace

const Architecture& llama() {
  static const Llama architecture;
  return architecture;
}

}  // namespace hearth
