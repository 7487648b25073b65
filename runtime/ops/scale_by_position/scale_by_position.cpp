// scale_by_position: rules.
#include "runtime/ops/scale_by_position/scale_by_position.h"

#include <algorithm>
#include <cmath>

#include "runtime/ops/rules.h"

namespace hearth {

std::string_view ScaleByPosition::name() const {
  return "scale_by_position";
}
std::string ScaleByPosition::attributes() const {
  return fmt::format("beta={} period={}", beta, period);
}

float ScaleByPosition::factor(int32_t position) const {
  const int32_t n_periods = position / period;  // whole ones
  return 1.0f + beta * std::log1p(static_cast<float>(n_periods));
}

Result<std::vector<TensorType>> ScaleByPosition::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 0}, {"positions", Accept::i32, 1}}));
  if (inputs[0].shape[0] != inputs[1].shape[0])
    return shape_error("scale_by_position", "positions", "one per row of x",
                       inputs[0].to_string() + " and " + inputs[1].to_string());
  if (period < 1) return shape_error("scale_by_position", "period", "positive", std::to_string(period));
  return std::vector{inputs[0]};
}

void ScaleByPosition::reference(Views inputs, Views outputs) const {
  const int64_t n_rows = inputs[0].dim(0), n = inputs[0].shape().n_elements() / std::max<int64_t>(n_rows, 1);
  for (int64_t t = 0; t < n_rows; ++t)
    for (int64_t i = t * n; i < (t + 1) * n; ++i) outputs[0].f32()[i] = inputs[0].f32()[i] * factor(inputs[1].i32()[t]);
}

Result<std::vector<Value>> ScaleByPosition::gradient(GradientBuilder& g) const {
  return std::vector{g.b.apply(std::make_shared<ScaleByPosition>(beta, period), {g.grad(), g.input(1)}), Value()};
}

ShardingRule ScaleByPosition::sharding(Types inputs) const {
  ShardingRule rule = elementwise_sharding(inputs.first(1), 1);
  rule.inputs.push_back({rule.inputs[0][0]});
  rule.linear = {{0}};
  return rule;
}

Cost ScaleByPosition::cost(Types inputs, Types outputs) const {
  return streaming_cost(static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> ScaleByPosition::samples() {
  return sample_list(make_sample("small", std::make_shared<ScaleByPosition>(0.1f, 16), {0}, random_tensor({4, 36}, 1),
                                 ids_tensor({0, 15, 16, 1000})),
                     make_sample("cut", std::make_shared<ScaleByPosition>(0.1f, 16), {}, random_tensor({12, 12, 24}, 2),
                                 random_ids(12, 100, 3)));
}

}  // namespace hearth
