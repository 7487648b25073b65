// tanh and tanh_backward: rules.
#include "runtime/ops/tanh/tanh.h"

#include <cmath>

#include "runtime/ops/rules.h"
#include "runtime/tensor/scalar.h"

namespace hearth {

std::string_view Tanh::name() const {
  return "tanh";
}
std::string Tanh::attributes() const {
  return "";
}

Result<std::vector<TensorType>> Tanh::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}}));
  return std::vector{inputs[0]};
}

void Tanh::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].shape().n_elements();
  for (int64_t i = 0; i < n; ++i) {
    const float x = inputs[0].f32()[i];
    outputs[0].f32()[i] = std::tanh(x);
  }
}

Result<std::vector<Value>> Tanh::gradient(GradientBuilder& g) const {
  return std::vector{g.b.apply(std::make_shared<TanhBackward>(), {g.output(0), g.grad()})};
}

ShardingRule Tanh::sharding(Types inputs) const {
  return zero_keeping_sharding(inputs, 1);
}

Cost Tanh::cost(Types inputs, Types outputs) const {
  return streaming_cost(8.0 * static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> Tanh::samples() {
  return sample_list(make_sample("small", std::make_shared<Tanh>(), {0}, random_tensor({4, 36}, 1, 3)),
                     make_sample("far", std::make_shared<Tanh>(), {}, random_tensor({4, 36}, 2, 100)),
                     make_sample("cut", std::make_shared<Tanh>(), {}, random_tensor({12, 36}, 3)));
}

std::string_view TanhBackward::name() const {
  return "tanh_backward";
}
std::string TanhBackward::attributes() const {
  return "";
}

Result<std::vector<TensorType>> TanhBackward::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"y", Accept::f32, 0}, {"dy", Accept::f32, 0}}));
  TRY(check_same_shape("tanh_backward", inputs, 0, 1));
  return std::vector{inputs[0]};
}

void TanhBackward::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].shape().n_elements();
  for (int64_t i = 0; i < n; ++i) {
    const float y = inputs[0].f32()[i];
    outputs[0].f32()[i] = inputs[1].f32()[i] * (1.0f - y * y);
  }
}

Result<std::vector<Value>> TanhBackward::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it is a first-order gradient");
}
ShardingRule TanhBackward::sharding(Types inputs) const {
  ShardingRule rule = zero_keeping_sharding(inputs, 1);
  rule.linear = {{1}};
  return rule;
}

Cost TanhBackward::cost(Types inputs, Types outputs) const {
  return streaming_cost(3.0 * static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> TanhBackward::samples() {
  return sample_list(
      make_sample("small", std::make_shared<TanhBackward>(), {}, random_tensor({4, 36}, 1), random_tensor({4, 36}, 2)),
      make_sample("cut", std::make_shared<TanhBackward>(), {}, random_tensor({12, 36}, 3), random_tensor({12, 36}, 4)));
}

}  // namespace hearth
