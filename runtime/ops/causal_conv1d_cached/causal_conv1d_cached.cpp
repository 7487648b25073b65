// causal_conv1d_cached: rules.
#include "runtime/ops/causal_conv1d_cached/causal_conv1d_cached.h"

#include <algorithm>

#include "runtime/ops/causal_conv1d/causal_conv1d.h"
#include "runtime/ops/rules.h"

namespace hearth {

std::string_view CausalConv1dCached::name() const {
  return "causal_conv1d_cached";
}
std::string CausalConv1dCached::attributes() const {
  return "";
}

Result<std::vector<TensorType>> CausalConv1dCached::infer(Types inputs) const {
  TRY(check_operands(*this, inputs,
                     {{"x", Accept::f32, 2},
                      {"w", Accept::cache, 2},
                      {"state", Accept::f32, 3},
                      {"positions", Accept::i32, 1},
                      {"seq_of_token", Accept::i32, 1}}));
  TRY(check_conv(name(), inputs));
  const Shape state{inputs[2].shape[0], inputs[1].shape[1] - 1, inputs[0].shape[1]};
  if (!(inputs[2].shape == state)) return shape_error(name(), "state", state.to_string(), inputs[2].to_string());
  for (size_t i : {3u, 4u})
    if (inputs[i].shape[0] != inputs[0].shape[0])
      return shape_error(name(), "positions and seq_of_token", "one per token", inputs[i].to_string());
  return std::vector{inputs[0]};
}

void CausalConv1dCached::reference(Views inputs, Views outputs) const {
  const int64_t C = inputs[0].dim(1), W = inputs[1].dim(1), state_size = (W - 1) * C;
  const FloatRows w(inputs[1]);
  for (int64_t t = 0; t < inputs[0].dim(0); ++t) {
    const float* x = inputs[0].f32() + t * C;
    float* y = outputs[0].f32() + t * C;
    std::fill(y, y + C, 0.0f);
    if (inputs[3].i32()[t] < 0) continue;
    float* state = inputs[2].f32() + inputs[4].i32()[t] * state_size;
    if (inputs[3].i32()[t] == 0) std::fill(state, state + state_size, 0.0f);
    for (int64_t c = 0; c < C; ++c) {
      double sum = static_cast<double>(w.at(c, W - 1)) * x[c];
      for (int64_t j = 0; j < W - 1; ++j) sum += static_cast<double>(w.at(c, j)) * state[j * C + c];
      y[c] = static_cast<float>(sum);
    }
    if (W == 1) continue;
    std::copy(state + C, state + state_size, state);
    std::copy(x, x + C, state + state_size - C);
  }
}

Result<std::vector<Value>> CausalConv1dCached::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it writes to a state; train with `causal_conv1d`");
}

ShardingRule CausalConv1dCached::sharding(Types) const {
  return {{{"", "channels"}, {"channels", ""}, {"", "", "channels"}, {""}, {""}}, {{"", "channels"}}, {"channels"}};
}

Cost CausalConv1dCached::cost(Types inputs, Types outputs) const {
  const double n = static_cast<double>(inputs[0].shape.n_elements());
  return streaming_cost(2.0 * n * static_cast<double>(inputs[1].shape[1]), inputs, outputs);
}

std::vector<Sample> CausalConv1dCached::samples() {
  auto op = std::make_shared<CausalConv1dCached>();
  auto sample = [&](const char* name, int64_t C, Tensor weights, Tensor positions, Tensor seqs) {
    const int64_t T = positions.type().shape[0], W = weights.type().shape[1];
    return make_sample(name, op, {}, random_tensor({T, C}, 1, 2), std::move(weights), random_tensor({3, W - 1, C}, 3),
                       std::move(positions), std::move(seqs));
  };
  return sample_list(
      sample("decode", 38, random_tensor({38, 4}, 2), ids_tensor({17, 0, 3}), ids_tensor({1, 0, 2})),
      sample("chunks", 70, random_weights(Dtype::bf16, {70, 4}, 2), ids_tensor({0, 1, 2, 3, 4, 9, 10, 5, 6}),
             ids_tensor({2, 2, 2, 2, 2, 0, 0, 1, 1})),
      sample("begins_anew", 20, random_weights(Dtype::f16, {20, 3}, 2), ids_tensor({7, 8, 0, 1, 2, -1}),
             ids_tensor({1, 1, 0, 0, 0, 0})),
      sample("padding", 20, random_tensor({20, 4}, 2), ids_tensor({-1, 7, -2, 8, -1, 0}),
             ids_tensor({-1000000, 1, 1, 1, 1000000, 0})),
      sample("one_tap", 6, random_tensor({6, 1}, 2), ids_tensor({4, 5}), ids_tensor({1, 1})),
      sample("wide", 24, random_tensor({24, 16}, 2), ids_tensor({4, 5, 6, 0}), ids_tensor({1, 1, 1, 2})));
}

}  // namespace hearth
