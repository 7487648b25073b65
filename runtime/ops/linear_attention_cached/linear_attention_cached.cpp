// linear_attention_cached: rules.
#include "runtime/ops/linear_attention_cached/linear_attention_cached.h"

#include <algorithm>
#include <cmath>

#include "runtime/ops/rules.h"

namespace hearth {

std::string_view LinearAttentionCached::name() const {
  return "linear_attention_cached";
}
std::string LinearAttentionCached::attributes() const {
  return heads.to_string();
}

namespace {
constexpr size_t kCachedInputs = 8;  // without skip
}  // namespace

Result<std::vector<TensorType>> LinearAttentionCached::infer(Types inputs) const {
  const Operand q{"q", Accept::f32, 3}, k{"k", Accept::f32, 3}, v{"v", Accept::f32, 3},
      log_decay{"log_decay", Accept::f32, 2}, beta{"beta", Accept::f32, 2}, state{"state", Accept::f32, 4},
      positions{"positions", Accept::i32, 1}, seqs{"seq_of_token", Accept::i32, 1}, skip{"skip", Accept::f32, 1};
  TRY(heads.has_skip ? check_operands(*this, inputs, {q, k, v, log_decay, beta, state, positions, seqs, skip})
                     : check_operands(*this, inputs, {q, k, v, log_decay, beta, state, positions, seqs}));
  TRY(check_linear_attention(name(), heads, inputs, kCachedInputs));
  const Shape wanted{inputs[5].shape[0], heads.n_v_heads, heads.k_dim, heads.v_dim};
  if (!(inputs[5].shape == wanted)) return shape_error(name(), "state", wanted.to_string(), inputs[5].to_string());
  for (size_t i : {6u, 7u})
    if (inputs[i].shape[0] != inputs[0].shape[0])
      return shape_error(name(), "positions and seq_of_token", "one per token", inputs[i].to_string());
  return std::vector{inputs[2]};
}

void LinearAttentionCached::reference(Views inputs, Views outputs) const {
  const auto dv = static_cast<size_t>(heads.v_dim);
  std::vector<double> answer(dv);
  for (int h = 0; h < heads.n_v_heads; ++h) {
    LinearAttentionHead head(heads, inputs, h);
    const auto size = static_cast<int64_t>(head.S.size());
    const double skip = heads.has_skip ? inputs[kCachedInputs].f32()[h] : 0;
    for (int64_t t = 0; t < inputs[0].dim(0); ++t) {
      const int32_t position = inputs[6].i32()[t], seq = inputs[7].i32()[t];
      float* out = outputs[0].f32() + t * heads.v_width() + int64_t{h} * heads.v_dim;
      std::fill(out, out + dv, 0.0f);
      if (position < 0) continue;
      float* state = inputs[5].f32() + (int64_t{seq} * heads.n_v_heads + h) * size;
      if (position == 0) std::fill(state, state + size, 0.0f);
      head.S.assign(state, state + size);
      head.step(t, answer.data());
      std::copy(head.S.begin(), head.S.end(), state);
      for (size_t d = 0; d < dv; ++d) out[d] = static_cast<float>(answer[d] + skip * head.v(t)[d]);
    }
  }
}

Result<std::vector<Value>> LinearAttentionCached::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it writes to a state; train with `linear_attention`");
}

ShardingRule LinearAttentionCached::sharding(Types) const {
  const LinearAttentionAttributes a = heads;
  const AxisName values("heads", a.n_v_heads / a.n_k_heads);
  const Axes k{"", "heads", ""}, v{"", values, ""}, gate{"", values};
  ShardingRule rule{{k, k, v, gate, gate, {"", values, "", ""}, {""}, {""}}, {v}};
  if (a.has_skip) rule.inputs.push_back({values});
  if (!a.is_tiled) rule.cuts = {"heads"};
  rule.local["heads"] = [a](int64_t begin, int64_t end) {
    LinearAttentionAttributes part = a;
    part.n_v_heads = static_cast<int>((end - begin) * a.n_v_heads / a.n_k_heads);
    part.n_k_heads = static_cast<int>(end - begin);
    return std::make_shared<LinearAttentionCached>(part);
  };
  if (a.n_k_heads > 1 && !a.is_tiled) return rule;
  Alternative shared;  // every part reads all key heads: the only one, or the ones that value heads go round
  shared.axis = "value heads";
  const int64_t unit = a.n_k_heads;
  shared.inputs = {
      {}, {}, {Spread::cut, 1, unit}, {Spread::cut, 1, unit}, {Spread::cut, 1, unit}, {Spread::cut, 1, unit}, {}, {}};
  if (a.has_skip) shared.inputs.push_back({Spread::cut, 0, unit});
  shared.outputs = {{Spread::cut, 1, unit}};
  shared.local = [a](int64_t begin, int64_t end) {
    LinearAttentionAttributes part = a;
    part.n_v_heads = static_cast<int>((end - begin) * a.n_k_heads);
    return std::make_shared<LinearAttentionCached>(part);
  };
  rule.more = {std::move(shared)};
  return rule;
}

// At most as many states as there are tokens are read and written.
Cost LinearAttentionCached::cost(Types inputs, Types outputs) const {
  const double n_tokens = static_cast<double>(inputs[0].shape[0]);
  const double state = static_cast<double>(heads.n_v_heads) * heads.k_dim * heads.v_dim;
  const double states_bytes = 4 * state * std::min(n_tokens, static_cast<double>(inputs[5].shape[0]));
  return {2.0 * (heads.delta_rule ? 3 : 2) * n_tokens * state, states_bytes,
          static_cast<double>(outputs[0].bytes()) + states_bytes};
}

std::vector<Sample> LinearAttentionCached::samples() {
  using A = LinearAttentionAttributes;
  const A delta{.n_k_heads = 2, .n_v_heads = 4, .k_dim = 20, .v_dim = 24};
  const A plain{.n_k_heads = 1, .n_v_heads = 4, .k_dim = 16, .v_dim = 33, .delta_rule = false, .has_skip = true};
  auto counted = [](int64_t n, int32_t first) {
    Tensor out(TensorType{Dtype::i32, {n}});
    for (int64_t i = 0; i < n; ++i) out.i32()[i] = first + static_cast<int32_t>(i);
    return out;
  };
  auto sample = [](std::string name, const A& a, Tensor positions, Tensor seqs) {
    const int64_t n = positions.type().shape[0];
    Tensor log_decay = random_tensor({n, a.n_v_heads}, 4, 0.2f), beta = random_tensor({n, a.n_v_heads}, 5, 0.5f);
    for (int64_t i = 0; i < n * a.n_v_heads; ++i) log_decay.f32()[i] -= 0.2f, beta.f32()[i] += 0.5f;
    Sample out = make_sample(
        std::move(name), std::make_shared<LinearAttentionCached>(a), {}, random_tensor(a.k_shape(n), 1),
        random_tensor(a.k_shape(n), 2, 0.4f), random_tensor(a.v_shape(n), 3), std::move(log_decay), std::move(beta),
        random_tensor({3, a.n_v_heads, a.k_dim, a.v_dim}, 7), std::move(positions), std::move(seqs));
    if (a.has_skip) out.inputs.push_back(random_tensor({a.n_v_heads}, 6));
    return out;
  };
  std::vector<Sample> out;
  const A cut{.n_k_heads = 12, .n_v_heads = 24, .k_dim = 3, .v_dim = 4, .has_skip = true};
  out.push_back(sample("cut", cut, ids_tensor({17, 0, 3}), ids_tensor({1, 0, 2})));
  A tiled = delta;
  tiled.is_tiled = true;
  for (const auto& [kind, a] : {std::pair{"delta", delta}, {"plain", plain}, {"tiled", tiled}}) {
    const std::string name = kind;
    out.push_back(sample(name + "_decode", a, ids_tensor({17, 0, 3}), ids_tensor({1, 0, 2})));
    out.push_back(
        sample(name + "_padding", a, ids_tensor({-1, 7, -2, 8, -1, 0}), ids_tensor({-1000000, 1, 1, 1, 1000000, 0})));
    out.push_back(sample(name + "_goes_on", a, counted(150, 40), random_ids(150, 1, 1)));
    out.push_back(sample(name + "_begins", a, counted(70, 0), random_ids(70, 1, 1)));
    out.push_back(sample(name + "_mixed", a, ids_tensor({7, 8, 9, 10, 11, 12, 0, 1, 2, 30, -1}),
                         ids_tensor({2, 2, 2, 2, 2, 2, 1, 1, 1, 0, 0})));
  }
  return out;
}

}  // namespace hearth
