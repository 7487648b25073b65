// sum_rows: rules.
#include "runtime/ops/sum_rows/sum_rows.h"

#include "runtime/ops/rules.h"

namespace hearth {

std::string_view SumRows::name() const {
  return "sum_rows";
}
std::string SumRows::attributes() const {
  return "";
}

Result<std::vector<TensorType>> SumRows::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}}));
  return std::vector{TensorType{Dtype::f32, {inputs[0].shape.last()}}};
}

void SumRows::reference(Views inputs, Views outputs) const {
  const int64_t n_rows = inputs[0].shape().n_rows(), n = inputs[0].shape().last();
  for (int64_t c = 0; c < n; ++c) {
    float sum = 0;
    for (int64_t t = 0; t < n_rows; ++t) sum += inputs[0].f32()[t * n + c];
    outputs[0].f32()[c] = sum;
  }
}

Result<std::vector<Value>> SumRows::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "only gradients use it");
}

ShardingRule SumRows::sharding(Types inputs) const {
  ShardingRule rule = elementwise_sharding(inputs, 1);
  rule.outputs[0] = {rule.inputs[0].back()};
  rule.linear = {{0}};
  return rule;
}

Cost SumRows::cost(Types inputs, Types outputs) const {
  return streaming_cost(static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> SumRows::samples() {
  return sample_list(make_sample("small", std::make_shared<SumRows>(), {}, random_tensor({10, 36}, 1)),
                     make_sample("cut", std::make_shared<SumRows>(), {}, random_tensor({12, 12, 36}, 2)));
}

}  // namespace hearth
