// scale: rules.
#include "runtime/ops/scale/scale.h"

#include "runtime/ops/rules.h"

namespace hearth {

std::string_view Scale::name() const {
  return "scale";
}
std::string Scale::attributes() const {
  return fmt::format("factor={}", factor);
}

Result<std::vector<TensorType>> Scale::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}}));
  return std::vector{inputs[0]};
}

void Scale::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].shape().n_elements();
  for (int64_t i = 0; i < n; ++i) outputs[0].f32()[i] = factor * inputs[0].f32()[i];
}

Result<std::vector<Value>> Scale::gradient(GradientBuilder& g) const {
  return std::vector{g.b.scale(g.grad(), factor)};
}

ShardingRule Scale::sharding(Types inputs) const {
  ShardingRule rule = zero_keeping_sharding(inputs, 1);
  rule.linear = {{0}};
  return rule;
}

Cost Scale::cost(Types inputs, Types outputs) const {
  return streaming_cost(static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> Scale::samples() {
  return sample_list(make_sample("half", std::make_shared<Scale>(0.5f), {0}, random_tensor({4, 36}, 1)),
                     make_sample("cut", std::make_shared<Scale>(0.5f), {}, random_tensor({12, 36}, 2)));
}

}  // namespace hearth
