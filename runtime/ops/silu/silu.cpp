// silu and silu_backward: rules.
#include "runtime/ops/silu/silu.h"

#include "runtime/ops/rules.h"
#include "runtime/tensor/scalar.h"

namespace hearth {

std::string_view Silu::name() const {
  return "silu";
}
std::string Silu::attributes() const {
  return "";
}

Result<std::vector<TensorType>> Silu::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}}));
  return std::vector{inputs[0]};
}

void Silu::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].shape().n_elements();
  for (int64_t i = 0; i < n; ++i) outputs[0].f32()[i] = silu(inputs[0].f32()[i]);
}

Result<std::vector<Value>> Silu::gradient(GradientBuilder& g) const {
  return std::vector{g.b.apply(std::make_shared<SiluBackward>(), {g.input(0), g.grad()})};
}

ShardingRule Silu::sharding(Types inputs) const {
  return zero_keeping_sharding(inputs, 1);
}

Cost Silu::cost(Types inputs, Types outputs) const {
  return streaming_cost(4.0 * static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> Silu::samples() {
  return sample_list(make_sample("small", std::make_shared<Silu>(), {0}, random_tensor({4, 36}, 1, 8)),
                     make_sample("cut", std::make_shared<Silu>(), {}, random_tensor({12, 36}, 3)));
}

std::string_view SiluBackward::name() const {
  return "silu_backward";
}
std::string SiluBackward::attributes() const {
  return "";
}

Result<std::vector<TensorType>> SiluBackward::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}, {"dy", Accept::f32, 0}}));
  TRY(check_same_shape("silu_backward", inputs, 0, 1));
  return std::vector{inputs[0]};
}

void SiluBackward::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].shape().n_elements();
  for (int64_t i = 0; i < n; ++i) outputs[0].f32()[i] = inputs[1].f32()[i] * silu_derivative(inputs[0].f32()[i]);
}

Result<std::vector<Value>> SiluBackward::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it is a first-order gradient");
}
ShardingRule SiluBackward::sharding(Types inputs) const {
  ShardingRule rule = zero_keeping_sharding(inputs, 1);
  rule.linear = {{1}};
  return rule;
}

Cost SiluBackward::cost(Types inputs, Types outputs) const {
  return streaming_cost(8.0 * static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> SiluBackward::samples() {
  return sample_list(
      make_sample("small", std::make_shared<SiluBackward>(), {}, random_tensor({4, 36}, 1, 8),
                  random_tensor({4, 36}, 2)),
      make_sample("cut", std::make_shared<SiluBackward>(), {}, random_tensor({12, 36}, 3), random_tensor({12, 36}, 4)));
}

}  // namespace hearth
