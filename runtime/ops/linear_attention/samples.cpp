// Samples of linear attention without a cache: with and without the delta rule, documents across chunks of 64, decays
// from none to nearly all.
#include <cmath>

#include "runtime/ops/linear_attention/linear_attention.h"
#include "runtime/ops/rules.h"

namespace hearth {
namespace {

Tensor mapped(Tensor tensor, float scale, float offset) {
  for (int64_t i = 0; i < tensor.type().shape.n_elements(); ++i) tensor.f32()[i] = tensor.f32()[i] * scale + offset;
  return tensor;
}

// The length of keys stays near 1, as the families' normed keys have it: the delta rule needs beta |k|² < 2.
Sample linear_sample(std::string name, const LinearAttentionAttributes& a, int64_t n_tokens, Tensor segments,
                     float most_decay, std::vector<int> gradients) {
  const float key_size = 1.7f / std::sqrt(static_cast<float>(a.k_dim));
  Sample sample = make_sample(std::move(name), std::make_shared<LinearAttention>(a), std::move(gradients),
                              random_tensor(a.k_shape(n_tokens), 1), random_tensor(a.k_shape(n_tokens), 2, key_size),
                              random_tensor(a.v_shape(n_tokens), 3),
                              mapped(random_tensor({n_tokens, a.n_v_heads}, 4), most_decay / 2, -most_decay / 2),
                              mapped(random_tensor({n_tokens, a.n_v_heads}, 5), 0.5f, 0.5f), std::move(segments));
  if (a.has_skip) sample.inputs.push_back(random_tensor({a.n_v_heads}, 6));
  return sample;
}

}  // namespace

std::vector<Sample> LinearAttention::samples() {
  using A = LinearAttentionAttributes;
  const A delta{.n_k_heads = 2, .n_v_heads = 4, .k_dim = 5, .v_dim = 6};
  const A plain{.n_k_heads = 1, .n_v_heads = 2, .k_dim = 6, .v_dim = 4, .delta_rule = false, .has_skip = true};
  const A wide{.n_k_heads = 2, .n_v_heads = 2, .k_dim = 32, .v_dim = 40};
  const A wide_plain{.n_k_heads = 2, .n_v_heads = 6, .k_dim = 33, .v_dim = 16, .delta_rule = false, .has_skip = true};
  const A cut{.n_k_heads = 12, .n_v_heads = 24, .k_dim = 3, .v_dim = 4, .has_skip = true};
  A tiled = delta;
  tiled.is_tiled = true;
  return sample_list(linear_sample("cut", cut, 7, segments_of(7, {0, 3}), 1, {}),
                     linear_sample("delta_tiled", tiled, 7, segments_of(7, {0, 3}), 1, {0, 1, 2, 3, 4}),
                     linear_sample("delta", delta, 7, segments_of(7, {0}), 1, {0, 1, 2, 3, 4}),
                     linear_sample("delta_packed", delta, 9, segments_of(9, {0, 3, 4}), 1, {0, 1, 2, 3, 4}),
                     linear_sample("plain_skip", plain, 8, segments_of(8, {0, 5}), 1, {0, 1, 2, 3, 4, 6}),
                     linear_sample("delta_long", wide, 200, segments_of(200, {0}), 0.2f, {}),
                     linear_sample("delta_long_packed", wide, 211, segments_of(211, {0, 63, 64, 130, 140}), 0.5f, {}),
                     linear_sample("delta_forgets", wide, 150, segments_of(150, {0}), 60, {}),
                     linear_sample("delta_remembers", wide, 150, segments_of(150, {0}), 0, {}),
                     linear_sample("plain_long", wide_plain, 211, segments_of(211, {0, 70, 71}), 0.3f, {}),
                     linear_sample("plain_forgets", wide_plain, 130, segments_of(130, {0}), 300, {}));
}

std::vector<Sample> LinearAttentionBackward::samples() {
  std::vector<Sample> out;
  for (Sample& forward : LinearAttention::samples()) {
    const LinearAttentionAttributes& a = static_cast<const LinearAttention&>(*forward.op).heads;
    Sample sample{forward.name, std::make_shared<LinearAttentionBackward>(a), std::move(forward.inputs), {}};
    Tensor dout = random_tensor(sample.inputs[2].type().shape, 8);
    sample.inputs.insert(sample.inputs.begin() + 6, std::move(dout));
    sample.tolerance = 5e-5;
    out.push_back(std::move(sample));
  }
  return out;
}

}  // namespace hearth
