// add: rules.
#include "runtime/ops/add/add.h"

#include "runtime/ops/rules.h"
#include "runtime/ops/sum_rows/sum_rows.h"

namespace hearth {

std::string_view Add::name() const {
  return "add";
}
std::string Add::attributes() const {
  return "";
}

Result<std::vector<TensorType>> Add::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"a", Accept::f32, 0}, {"b", Accept::f32, 0}}));
  const Shape &a = inputs[0].shape, &b = inputs[1].shape;
  if (!(a == b) && !(b.rank() == 1 && b.last() == a.last()))
    return shape_error("add", "b", "of a's shape or one row of it", a.to_string() + " and " + b.to_string());
  return std::vector{inputs[0]};
}

void Add::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].shape().n_elements(), n_b = inputs[1].shape().n_elements();
  for (int64_t i = 0; i < n; ++i) outputs[0].f32()[i] = inputs[0].f32()[i] + inputs[1].f32()[i % n_b];
}

Result<std::vector<Value>> Add::gradient(GradientBuilder& g) const {
  const bool is_bias = !(g.b.type(g.input(0)).shape == g.b.type(g.input(1)).shape);
  const Value row = is_bias && g.needs(1) ? g.b.apply(std::make_shared<SumRows>(), {g.grad()}) : g.grad();
  return std::vector{g.grad(), row};
}

ShardingRule Add::sharding(Types inputs) const {
  const bool is_bias = !(inputs[0].shape == inputs[1].shape);
  ShardingRule rule = elementwise_sharding(inputs, 1);
  if (is_bias) rule.inputs[1] = {rule.inputs[0].back()};
  rule.keeps_zeros = !is_bias;
  rule.linear = {{0, 1}};
  return rule;
}

Cost Add::cost(Types inputs, Types outputs) const {
  return streaming_cost(static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> Add::samples() {
  auto op = std::make_shared<Add>();
  return sample_list(make_sample("same", op, {0, 1}, random_tensor({6, 20}, 1), random_tensor({6, 20}, 2)),
                     make_sample("bias", op, {0, 1}, random_tensor({6, 20}, 3), random_tensor({20}, 4)),
                     make_sample("cut", op, {}, random_tensor({12, 36}, 5), random_tensor({12, 36}, 6)));
}

}  // namespace hearth
