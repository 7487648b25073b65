// clamp and clamp_backward: rules.
#include "runtime/ops/clamp/clamp.h"

#include <algorithm>
#include <cmath>

#include "runtime/ops/rules.h"

namespace hearth {

std::string_view Clamp::name() const {
  return "clamp";
}
std::string Clamp::attributes() const {
  return fmt::format("low={} high={}", low, high);
}

Result<std::vector<TensorType>> Clamp::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}}));
  if (!(low <= high)) return shape_error(name(), "low", "at most high", attributes());
  return std::vector{inputs[0]};
}

void Clamp::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].shape().n_elements();
  for (int64_t i = 0; i < n; ++i) outputs[0].f32()[i] = std::min(std::max(inputs[0].f32()[i], low), high);
}

Result<std::vector<Value>> Clamp::gradient(GradientBuilder& g) const {
  return std::vector{g.b.apply(std::make_shared<ClampBackward>(low, high), {g.input(0), g.grad()})};
}

ShardingRule Clamp::sharding(Types inputs) const {
  return low <= 0 && high >= 0 ? zero_keeping_sharding(inputs, 1) : elementwise_sharding(inputs, 1);
}

Cost Clamp::cost(Types inputs, Types outputs) const {
  return streaming_cost(2.0 * static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> Clamp::samples() {
  return sample_list(make_sample("small", std::make_shared<Clamp>(-3, 2), {0}, random_tensor({2, 19}, 1, 8)),
                     make_sample("above", std::make_shared<Clamp>(0.1f, INFINITY), {0}, random_tensor({2, 19}, 2, 8)),
                     make_sample("cut", std::make_shared<Clamp>(-INFINITY, 0.1f), {}, random_tensor({12, 36}, 3)));
}

std::string_view ClampBackward::name() const {
  return "clamp_backward";
}
std::string ClampBackward::attributes() const {
  return fmt::format("low={} high={}", low, high);
}

Result<std::vector<TensorType>> ClampBackward::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}, {"dy", Accept::f32, 0}}));
  TRY(check_same_shape(name(), inputs, 0, 1));
  return std::vector{inputs[0]};
}

void ClampBackward::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].shape().n_elements();
  for (int64_t i = 0; i < n; ++i) {
    const float x = inputs[0].f32()[i];
    outputs[0].f32()[i] = x >= low && x <= high ? inputs[1].f32()[i] : 0;
  }
}

Result<std::vector<Value>> ClampBackward::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it is a first-order gradient");
}

ShardingRule ClampBackward::sharding(Types inputs) const {
  ShardingRule rule = zero_keeping_sharding(inputs, 1);
  rule.linear = {{1}};
  return rule;
}

Cost ClampBackward::cost(Types inputs, Types outputs) const {
  return streaming_cost(2.0 * static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> ClampBackward::samples() {
  return sample_list(make_sample("small", std::make_shared<ClampBackward>(-0.5f, 0.25f), {}, random_tensor({4, 37}, 1),
                                 random_tensor({4, 37}, 2)),
                     make_sample("cut", std::make_shared<ClampBackward>(-INFINITY, 0.1f), {},
                                 random_tensor({12, 36}, 3), random_tensor({12, 36}, 4)));
}

}  // namespace hearth
