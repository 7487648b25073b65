// Llama 2 and 3: pre-norm decoder, grouped-query attention with rotary positions, SwiGLU, tied or untied embeddings.
#include "runtime/architectures/families.h"
#include "runtime/architectures/model_builder.h"
#include "runtime/architectures/parameter_table.h"

namespace hearth {
namespace {

class Llama final : public Architecture {
 public:
  std::string_view family() const override { return "llama"; }
  std::string_view hf_architecture() const override { return "LlamaForCausalLM"; }
  std::string_view gguf_architecture() const override { return "llama"; }
  bool claims_gguf(const ConfigSource& source) const override { return !source.has("expert_count"); }

  std::vector<ParameterSpec> parameters(const ModelConfig& c) const override {
    ParameterTable t(c);
    t.embed();
    for (int l = 0; l < c.n_layers; ++l) {
      t.begin_layer(l);
      t.norm("attn_norm", "input_layernorm", "attn_norm");
      t.attention({.qkv_bias = c.attention_bias, .o_bias = c.attention_bias, .gguf_rope_rows = true});
      t.norm("ffn_norm", "post_attention_layernorm", "ffn_norm");
      t.glu();
    }
    return t.finish();
  }

  Value forward(ModelBuilder& m) const override {
    Value x = m.embed(m.tokens(), "embed");
    for (int l = 0; l < m.config().n_layers; ++l) {
      m.begin_layer(l, x);
      Value h = m.norm(x, "attn_norm");
      const Value q = m.rope(m.linear(h, "wq"));
      const Value k = m.rope(m.linear(h, "wk"));
      const Value v = m.linear(h, "wv");
      x = m.residual(x, m.linear(m.attention(q, k, v), "wo"));
      h = m.norm(x, "ffn_norm");
      x = m.residual(x, m.linear(m.glu(m.linear(h, "w_gate"), m.linear(h, "w_up")), "w_down"));
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
