// ModelBuilder: the decoder that most families are.
#include "base/check.h"
#include "runtime/architectures/model_builder.h"

namespace hearth {

Value ModelBuilder::norm_if_declared(Value x, std::string_view role) {
  return find(role_here(role)) ? norm(x, role) : x;
}

Value ModelBuilder::self_attention(Value h) {
  const int head_dim = config_.head_dim_of(layer_);
  const auto normed = [&](std::string_view matrix, std::string_view role) {
    const Value y = linear(h, matrix);
    const ParameterSpec* weight = find(role_here(role));
    if (weight == nullptr) return heads(y, head_dim);
    return weight->shape.last() == head_dim ? norm(heads(y, head_dim), role) : heads(norm(y, role), head_dim);
  };
  const Value q = scale_queries(rope(normed("wq", "q_norm")));
  const Value k = rope(normed("wk", "k_norm"));
  const Value y = columns(attention(q, k, heads(linear(h, "wv"), head_dim)));
  const bool has_gate = find(role_here("attn_gate"));
  return linear(has_gate ? builder_.mul(y, sigmoid(linear(h, "attn_gate"))) : y, "wo");
}

Value ModelBuilder::decoder() {
  Value x = embed(tokens(), "embed");
  for (int l = 0; l < config_.n_layers; ++l) {
    begin_layer(l, x);
    for (const std::string block : {"attn", "ffn"})  // a table that forgets a norm is a mistake
      CHECK(find(role_here(block + "_norm")) || find(role_here(block + "_post_norm")));
    const Value attended = self_attention(norm_if_declared(x, "attn_norm"));
    x = residual(x, norm_if_declared(attended, "attn_post_norm"));
    const Value fed = experts_or_mlp(norm_if_declared(x, "ffn_norm"));
    x = residual(x, norm_if_declared(fed, "ffn_post_norm"));
  }
  end_layers();
  return norm(x, "final_norm");
}

}  // namespace hearth
