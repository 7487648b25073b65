// swiglu and swiglu_backward: rules.
#include "runtime/ops/swiglu/swiglu.h"

#include "runtime/ops/rules.h"
#include "runtime/tensor/scalar.h"

namespace hearth {

std::string_view Swiglu::name() const {
  return "swiglu";
}
std::string Swiglu::attributes() const {
  return "";
}

Result<std::vector<TensorType>> Swiglu::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"gate", Accept::f32, 0}, {"up", Accept::f32, 0}}));
  TRY(check_same_shape("swiglu", inputs, 0, 1));
  return std::vector{inputs[0]};
}

void Swiglu::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].shape().n_elements();
  for (int64_t i = 0; i < n; ++i) outputs[0].f32()[i] = silu(inputs[0].f32()[i]) * inputs[1].f32()[i];
}

Result<std::vector<Value>> Swiglu::gradient(GradientBuilder& g) const {
  return g.b.apply_all(std::make_shared<SwigluBackward>(), {g.input(0), g.input(1), g.grad()});
}

ShardingRule Swiglu::sharding(Types inputs) const {
  return zero_keeping_sharding(inputs, 1);
}

Cost Swiglu::cost(Types inputs, Types outputs) const {
  return streaming_cost(5.0 * static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> Swiglu::samples() {
  return sample_list(
      make_sample("small", std::make_shared<Swiglu>(), {0, 1}, random_tensor({4, 44}, 1, 6), random_tensor({4, 44}, 2)),
      make_sample("cut", std::make_shared<Swiglu>(), {}, random_tensor({12, 36}, 3), random_tensor({12, 36}, 4)));
}

std::string_view SwigluBackward::name() const {
  return "swiglu_backward";
}
std::string SwigluBackward::attributes() const {
  return "";
}

Result<std::vector<TensorType>> SwigluBackward::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"gate", Accept::f32, 0}, {"up", Accept::f32, 0}, {"dy", Accept::f32, 0}}));
  TRY(check_same_shape("swiglu_backward", inputs, 0, 1));
  TRY(check_same_shape("swiglu_backward", inputs, 0, 2));
  return std::vector{inputs[0], inputs[0]};
}

void SwigluBackward::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].shape().n_elements();
  for (int64_t i = 0; i < n; ++i) {
    const float gate = inputs[0].f32()[i], up = inputs[1].f32()[i], dy = inputs[2].f32()[i];
    outputs[0].f32()[i] = dy * up * silu_derivative(gate);
    outputs[1].f32()[i] = dy * silu(gate);
  }
}

Result<std::vector<Value>> SwigluBackward::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it is a first-order gradient");
}
ShardingRule SwigluBackward::sharding(Types inputs) const {
  ShardingRule rule = zero_keeping_sharding(inputs, 2);
  rule.linear = {{2}};
  return rule;
}

Cost SwigluBackward::cost(Types inputs, Types outputs) const {
  return streaming_cost(12.0 * static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> SwigluBackward::samples() {
  return sample_list(make_sample("small", std::make_shared<SwigluBackward>(), {}, random_tensor({4, 44}, 1, 6),
                                 random_tensor({4, 44}, 2), random_tensor({4, 44}, 3)),
                     make_sample("cut", std::make_shared<SwigluBackward>(), {}, random_tensor({12, 36}, 4),
                                 random_tensor({12, 36}, 5), random_tensor({12, 36}, 6)));
}

}  // namespace hearth
