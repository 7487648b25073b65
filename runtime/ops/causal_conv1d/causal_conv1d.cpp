// causal_conv1d and causal_conv1d_backward: rules.
#include "runtime/ops/causal_conv1d/causal_conv1d.h"

#include <algorithm>

#include "runtime/ops/rules.h"

namespace hearth {

Result<void> check_conv(std::string_view op, Types inputs) {
  const int64_t C = inputs[0].shape[1], W = inputs[1].shape[1];
  if (inputs[1].shape[0] != C) return shape_error(op, "w", fmt::format("[{}, width]", C), inputs[1].to_string());
  if (W < 1 || W > kMaxConvWidth)
    return shape_error(op, "w", fmt::format("1 to {} wide", kMaxConvWidth), inputs[1].to_string());
  return {};
}

std::string_view CausalConv1d::name() const {
  return "causal_conv1d";
}
std::string CausalConv1d::attributes() const {
  return "";
}

namespace {

Result<void> check_one_per_token(std::string_view op, Types inputs, size_t index, const char* what) {
  if (inputs[index].shape[0] == inputs[0].shape[0]) return {};
  return shape_error(op, what, Shape{inputs[0].shape[0]}.to_string(), inputs[index].to_string());
}

// Calls body(t, s, j) for every token t and token s = t - (W-1-j) of its document that it sees.
template <class Body>
void over_taps(const TensorView& segment_begin, int64_t W, Body body) {
  for (int64_t t = 0; t < segment_begin.dim(0); ++t)
    for (int64_t j = 0; j < W; ++j)
      if (const int64_t s = t - (W - 1 - j); s >= segment_begin.i32()[t]) body(t, s, j);
}

Cost conv_cost(double flops_per_tap, Types inputs, Types outputs) {
  return streaming_cost(
      flops_per_tap * static_cast<double>(inputs[0].shape.n_elements()) * static_cast<double>(inputs[1].shape[1]),
      inputs, outputs);
}

Tensor segments(std::initializer_list<int32_t> begin_of_token) {
  return ids_tensor(begin_of_token);
}

}  // namespace

Result<std::vector<TensorType>> CausalConv1d::infer(Types inputs) const {
  TRY(check_operands(*this, inputs,
                     {{"x", Accept::f32, 2}, {"w", Accept::cache, 2}, {"segment_begin", Accept::i32, 1}}));
  TRY(check_conv(name(), inputs));
  TRY(check_one_per_token(name(), inputs, 2, "segment_begin"));
  return std::vector{inputs[0]};
}

void CausalConv1d::reference(Views inputs, Views outputs) const {
  const int64_t C = inputs[0].dim(1), W = inputs[1].dim(1);
  const FloatRows w(inputs[1]);
  std::vector<double> y(static_cast<size_t>(inputs[0].shape().n_elements()));
  over_taps(inputs[2], W, [&](int64_t t, int64_t s, int64_t j) {
    for (int64_t c = 0; c < C; ++c)
      y[static_cast<size_t>(t * C + c)] += static_cast<double>(w.at(c, j)) * inputs[0].f32()[s * C + c];
  });
  std::copy(y.begin(), y.end(), outputs[0].f32());
}

Result<std::vector<Value>> CausalConv1d::gradient(GradientBuilder& g) const {
  const std::vector<Value> grads =
      g.b.apply_all(std::make_shared<CausalConv1dBackward>(), {g.input(0), g.input(1), g.input(2), g.grad()});
  return std::vector{grads[0], grads[1], Value()};
}

ShardingRule CausalConv1d::sharding(Types) const {
  return {{{"", "channels"}, {"channels", ""}, {""}}, {{"", "channels"}}, {"channels"}, {}, {{0}}};
}

Cost CausalConv1d::cost(Types inputs, Types outputs) const {
  return conv_cost(2, inputs, outputs);
}

std::vector<Sample> CausalConv1d::samples() {
  auto op = std::make_shared<CausalConv1d>();
  auto sample = [&](const char* name, int64_t C, Tensor weights, Tensor segment_begin, std::vector<int> gradients) {
    const int64_t T = segment_begin.type().shape[0];
    return make_sample(name, op, std::move(gradients), random_tensor({T, C}, 1, 2), std::move(weights),
                       std::move(segment_begin));
  };
  return sample_list(sample("small", 6, random_tensor({6, 4}, 2), segments({0, 0, 0, 0, 0, 0, 0}), {0, 1}),
                     sample("packed", 10, random_tensor({10, 4}, 2), segments({0, 0, 2, 3, 3, 3, 3, 3, 3}), {0, 1}),
                     sample("one_tap", 4, random_tensor({4, 1}, 2), segments({0, 0, 2}), {0, 1}),
                     sample("wide_bf16", 70, random_weights(Dtype::bf16, {70, 16}, 2),
                            segments({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}), {}),
                     sample("f16", 34, random_weights(Dtype::f16, {34, 3}, 2), segments({0, 1, 1, 1, 1, 5, 5}), {}));
}

std::string_view CausalConv1dBackward::name() const {
  return "causal_conv1d_backward";
}
std::string CausalConv1dBackward::attributes() const {
  return "";
}

Result<std::vector<TensorType>> CausalConv1dBackward::infer(Types inputs) const {
  TRY(check_operands(
      *this, inputs,
      {{"x", Accept::f32, 2}, {"w", Accept::cache, 2}, {"segment_begin", Accept::i32, 1}, {"dy", Accept::f32, 2}}));
  TRY(check_conv(name(), inputs));
  TRY(check_one_per_token(name(), inputs, 2, "segment_begin"));
  TRY(check_same_shape(name(), inputs, 0, 3));
  return std::vector{inputs[0], TensorType{Dtype::f32, inputs[1].shape}};
}

void CausalConv1dBackward::reference(Views inputs, Views outputs) const {
  const int64_t C = inputs[0].dim(1), W = inputs[1].dim(1);
  const FloatRows w(inputs[1]);
  std::vector<double> dx(static_cast<size_t>(inputs[0].shape().n_elements())), dw(static_cast<size_t>(C * W));
  over_taps(inputs[2], W, [&](int64_t t, int64_t s, int64_t j) {
    for (int64_t c = 0; c < C; ++c) {
      const double dy = inputs[3].f32()[t * C + c];
      dx[static_cast<size_t>(s * C + c)] += w.at(c, j) * dy;
      dw[static_cast<size_t>(c * W + j)] += inputs[0].f32()[s * C + c] * dy;
    }
  });
  std::copy(dx.begin(), dx.end(), outputs[0].f32());
  std::copy(dw.begin(), dw.end(), outputs[1].f32());
}

Result<std::vector<Value>> CausalConv1dBackward::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it is a first-order gradient");
}
ShardingRule CausalConv1dBackward::sharding(Types) const {
  return {{{"", "channels"}, {"channels", ""}, {""}, {"", "channels"}},
          {{"", "channels"}, {"channels", ""}},
          {"channels"},
          {},
          {{3}}};
}
Cost CausalConv1dBackward::cost(Types inputs, Types outputs) const {
  return conv_cost(4, inputs, outputs);
}

std::vector<Sample> CausalConv1dBackward::samples() {
  std::vector<Sample> out;
  for (Sample& forward : CausalConv1d::samples()) {
    Sample sample{forward.name, std::make_shared<CausalConv1dBackward>(), std::move(forward.inputs), {}};
    sample.inputs.push_back(random_tensor(sample.inputs[0].type().shape, 7));
    out.push_back(std::move(sample));
  }
  return out;
}

}  // namespace hearth
