// sigmoid and sigmoid_backward: rules.
#include "runtime/ops/sigmoid/sigmoid.h"

#include "runtime/ops/rules.h"
#include "runtime/tensor/scalar.h"

namespace hearth {

std::string_view Sigmoid::name() const {
  return "sigmoid";
}
std::string Sigmoid::attributes() const {
  return "";
}

Result<std::vector<TensorType>> Sigmoid::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}}));
  return std::vector{inputs[0]};
}

void Sigmoid::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].shape().n_elements();
  for (int64_t i = 0; i < n; ++i) outputs[0].f32()[i] = sigmoid(inputs[0].f32()[i]);
}

Result<std::vector<Value>> Sigmoid::gradient(GradientBuilder& g) const {
  return std::vector{g.b.apply(std::make_shared<SigmoidBackward>(), {g.output(0), g.grad()})};
}

ShardingRule Sigmoid::sharding(Types inputs) const {
  return elementwise_sharding(inputs, 1);
}

Cost Sigmoid::cost(Types inputs, Types outputs) const {
  return streaming_cost(4.0 * static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> Sigmoid::samples() {
  return sample_list(make_sample("small", std::make_shared<Sigmoid>(), {0}, random_tensor({4, 36}, 1, 8)),
                     make_sample("cut", std::make_shared<Sigmoid>(), {}, random_tensor({12, 36}, 3)));
}

std::string_view SigmoidBackward::name() const {
  return "sigmoid_backward";
}
std::string SigmoidBackward::attributes() const {
  return "";
}

Result<std::vector<TensorType>> SigmoidBackward::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"y", Accept::f32, 0}, {"dy", Accept::f32, 0}}));
  TRY(check_same_shape("sigmoid_backward", inputs, 0, 1));
  return std::vector{inputs[0]};
}

void SigmoidBackward::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].shape().n_elements();
  for (int64_t i = 0; i < n; ++i) {
    const float y = inputs[0].f32()[i];
    outputs[0].f32()[i] = inputs[1].f32()[i] * y * (1.0f - y);
  }
}

Result<std::vector<Value>> SigmoidBackward::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it is a first-order gradient");
}
ShardingRule SigmoidBackward::sharding(Types inputs) const {
  ShardingRule rule = zero_keeping_sharding(inputs, 1);
  rule.linear = {{1}};
  return rule;
}

Cost SigmoidBackward::cost(Types inputs, Types outputs) const {
  return streaming_cost(8.0 * static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> SigmoidBackward::samples() {
  return sample_list(make_sample("small", std::make_shared<SigmoidBackward>(), {}, random_tensor({4, 36}, 1, 8),
                                 random_tensor({4, 36}, 2)),
                     make_sample("cut", std::make_shared<SigmoidBackward>(), {}, random_tensor({12, 36}, 3),
                                 random_tensor({12, 36}, 4)));
}

}  // namespace hearth
