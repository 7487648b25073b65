// Attributes of attention: names, bounds.
#include "runtime/ops/attention/attributes.h"

#include <algorithm>

#include "runtime/ops/rules.h"

namespace hearth {

std::string AttentionAttributes::to_string() const {
  std::string out = fmt::format("n_heads={} n_kv_heads={} head_dim={} softmax_scale={}", n_heads, n_kv_heads, head_dim,
                                softmax_scale);
  if (v_dim() != head_dim) out += fmt::format(" value_dim={}", v_dim());
  if (window > 0) out += fmt::format(" window={}", window);
  if (softcap > 0) out += fmt::format(" softcap={}", softcap);
  if (has_sinks) out += " sinks";
  if (!causal) out += " bidirectional";
  return out;
}

Result<void> check_attention(std::string_view op, const AttentionAttributes& a, Types inputs, size_t n_inputs) {
  if (a.n_heads < 1 || a.n_kv_heads < 1 || a.n_heads % a.n_kv_heads != 0 || a.head_dim < 1)
    return shape_error(op, "n_heads", "a positive multiple of n_kv_heads",
                       fmt::format("{} and {}", a.n_heads, a.n_kv_heads));
  if (a.value_dim < 0 || a.window < 0 || a.softcap < 0)
    return shape_error(op, "value_dim, window and softcap", "zero or positive",
                       fmt::format("{}, {} and {}", a.value_dim, a.window, a.softcap));
  const int64_t n_tokens = inputs[0].shape[0];
  const Shape shapes[] = {a.q_shape(n_tokens), a.k_shape(n_tokens), a.v_shape(n_tokens)};
  const char* names[] = {"q", "k", "v"};
  for (size_t i = 0; i < 3; ++i)
    if (!(inputs[i].shape == shapes[i])) return shape_error(op, names[i], shapes[i].to_string(), inputs[i].to_string());
  if (a.has_sinks && inputs[n_inputs].shape[0] != a.n_heads)
    return shape_error(op, "sinks", Shape{a.n_heads}.to_string(), inputs[n_inputs].to_string());
  return {};
}

double attention_pairs(const AttentionAttributes& a, double n) {
  const double all = a.causal ? n * (n + 1) / 2 : n * n;
  if (a.window == 0) return all;
  return std::min(all, n * (a.causal ? a.window : 2.0 * a.window - 1));
}

}  // namespace hearth
