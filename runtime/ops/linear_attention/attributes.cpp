// Attributes of linear attention: bounds, and one step of the reference.
#include "runtime/ops/linear_attention/attributes.h"

#include <algorithm>
#include <cmath>

#include "runtime/ops/rules.h"

namespace hearth {

std::string LinearAttentionAttributes::to_string() const {
  return fmt::format("n_k_heads={} n_v_heads={} k_dim={} v_dim={}{}{}{}", n_k_heads, n_v_heads, k_dim, v_dim,
                     delta_rule ? " delta_rule" : "", has_skip ? " skip" : "", is_tiled ? " tiled" : "");
}

Result<void> check_linear_attention(std::string_view op, const LinearAttentionAttributes& a, Types inputs,
                                    size_t n_inputs) {
  if (a.n_k_heads < 1 || a.n_v_heads < 1 || a.n_v_heads % a.n_k_heads != 0 || a.k_dim < 1 || a.v_dim < 1)
    return shape_error(op, "n_v_heads", "a positive multiple of n_k_heads",
                       fmt::format("{} and {}", a.n_v_heads, a.n_k_heads));
  const int64_t n_tokens = inputs[0].shape[0];
  const Shape keys = a.k_shape(n_tokens), gates{n_tokens, a.n_v_heads};
  const Shape shapes[] = {keys, keys, a.v_shape(n_tokens), gates, gates};
  const char* names[] = {"q", "k", "v", "log_decay", "beta"};
  for (size_t i = 0; i < 5; ++i)
    if (!(inputs[i].shape == shapes[i])) return shape_error(op, names[i], shapes[i].to_string(), inputs[i].to_string());
  if (a.has_skip && inputs[n_inputs].shape[0] != a.n_v_heads)
    return shape_error(op, "skip", Shape{a.n_v_heads}.to_string(), inputs[n_inputs].to_string());
  return {};
}

std::vector<double> LinearAttentionHead::u(int64_t t, double decay) const {
  const auto dk = static_cast<size_t>(a_.k_dim), dv = static_cast<size_t>(a_.v_dim);
  std::vector<double> out(dv);
  if (a_.delta_rule)
    for (size_t i = 0; i < dk; ++i)
      for (size_t d = 0; d < dv; ++d) out[d] -= decay * S[i * dv + d] * k(t)[i];
  for (size_t d = 0; d < dv; ++d) out[d] = gate(4, t) * (out[d] + v(t)[d]);
  return out;
}

void LinearAttentionHead::step(int64_t t, double* out) {
  const auto dk = static_cast<size_t>(a_.k_dim), dv = static_cast<size_t>(a_.v_dim);
  const double decay = std::exp(gate(3, t));
  const std::vector<double> learnt = u(t, decay);
  std::fill(out, out + dv, 0.0);
  for (size_t i = 0; i < dk; ++i)
    for (size_t d = 0; d < dv; ++d) {
      double& s = S[i * dv + d];
      s = decay * s + k(t)[i] * learnt[d];
      out[d] += s * q(t)[i];
    }
}

}  // namespace hearth
