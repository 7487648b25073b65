// gelu and gelu_backward: rules.
#include "runtime/ops/gelu/gelu.h"

#include "runtime/ops/rules.h"
#include "runtime/tensor/scalar.h"

namespace hearth {

std::string_view Gelu::name() const {
  return "gelu";
}
std::string Gelu::attributes() const {
  return fmt::format("tanh={}", tanh);
}

Result<std::vector<TensorType>> Gelu::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}}));
  return std::vector{inputs[0]};
}

void Gelu::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].shape().n_elements();
  for (int64_t i = 0; i < n; ++i) {
    const float x = inputs[0].f32()[i];
    outputs[0].f32()[i] = tanh ? gelu_tanh(x) : gelu(x);
  }
}

Result<std::vector<Value>> Gelu::gradient(GradientBuilder& g) const {
  return std::vector{g.b.apply(std::make_shared<GeluBackward>(tanh), {g.input(0), g.grad()})};
}

ShardingRule Gelu::sharding(Types inputs) const {
  return zero_keeping_sharding(inputs, 1);
}

Cost Gelu::cost(Types inputs, Types outputs) const {
  return streaming_cost(12.0 * static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> Gelu::samples() {
  return sample_list(make_sample("tanh", std::make_shared<Gelu>(true), {0}, random_tensor({4, 36}, 1, 6)),
                     make_sample("erf", std::make_shared<Gelu>(false), {0}, random_tensor({4, 36}, 2, 6)),
                     make_sample("cut", std::make_shared<Gelu>(true), {}, random_tensor({12, 36}, 3)));
}

std::string_view GeluBackward::name() const {
  return "gelu_backward";
}
std::string GeluBackward::attributes() const {
  return fmt::format("tanh={}", tanh);
}

Result<std::vector<TensorType>> GeluBackward::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}, {"dy", Accept::f32, 0}}));
  TRY(check_same_shape("gelu_backward", inputs, 0, 1));
  return std::vector{inputs[0]};
}

void GeluBackward::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].shape().n_elements();
  for (int64_t i = 0; i < n; ++i) {
    const float x = inputs[0].f32()[i];
    outputs[0].f32()[i] = inputs[1].f32()[i] * (tanh ? gelu_tanh_derivative(x) : gelu_derivative(x));
  }
}

Result<std::vector<Value>> GeluBackward::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it is a first-order gradient");
}
ShardingRule GeluBackward::sharding(Types inputs) const {
  ShardingRule rule = zero_keeping_sharding(inputs, 1);
  rule.linear = {{1}};
  return rule;
}

Cost GeluBackward::cost(Types inputs, Types outputs) const {
  return streaming_cost(24.0 * static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> GeluBackward::samples() {
  return sample_list(make_sample("tanh", std::make_shared<GeluBackward>(true), {}, random_tensor({4, 36}, 1, 6),
                                 random_tensor({4, 36}, 2)),
                     make_sample("erf", std::make_shared<GeluBackward>(false), {}, random_tensor({4, 36}, 3, 6),
                                 random_tensor({4, 36}, 4)),
                     make_sample("cut", std::make_shared<GeluBackward>(true), {}, random_tensor({12, 36}, 5),
                                 random_tensor({12, 36}, 6)));
}

}  // namespace hearth
