// accumulate: rules.
#include "runtime/ops/accumulate/accumulate.h"

#include "runtime/ops/rules.h"

namespace hearth {

std::string_view Accumulate::name() const {
  return "accumulate";
}
std::string Accumulate::attributes() const {
  return "";
}

Result<std::vector<TensorType>> Accumulate::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"sum", Accept::f32, 0}, {"x", Accept::f32, 0}, {"keep", Accept::f32, 1}}));
  TRY(check_same_shape(name(), inputs, 0, 1));
  if (inputs[2].shape[0] != 1) return shape_error(name(), "keep", "[1]", inputs[2].to_string());
  return std::vector{inputs[0]};
}

void Accumulate::reference(Views inputs, Views outputs) const {
  const float *sum = inputs[0].f32(), *x = inputs[1].f32();
  const bool keeps = *inputs[2].f32() != 0;
  for (int64_t i = 0; i < inputs[0].shape().n_elements(); ++i) outputs[0].f32()[i] = keeps ? sum[i] + x[i] : x[i];
}

Result<std::vector<Value>> Accumulate::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it writes to a state");
}

ShardingRule Accumulate::sharding(Types inputs) const {
  ShardingRule rule = elementwise_sharding(inputs.first(2), 1);
  rule.inputs.push_back({""});
  return rule;
}

Cost Accumulate::cost(Types inputs, Types outputs) const {
  return streaming_cost(static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> Accumulate::samples() {
  auto sample = [](const char* name, float keep, Shape shape) {
    Tensor keeps(TensorType{Dtype::f32, {1}});
    *keeps.f32() = keep;
    return make_sample(name, std::make_shared<Accumulate>(), {}, random_tensor(shape, 1), random_tensor(shape, 2),
                       std::move(keeps));
  };
  // What a first micro-batch leaves behind is not read: not even what is no number.
  Sample first = sample("first", 0, {5, 33});
  first.inputs[0].f32()[7] = NAN;
  return sample_list(sample("adds", 1, {5, 33}), std::move(first), sample("cut", 1, {12, 36}));
}

}  // namespace hearth
