// mul: rules.
#include "runtime/ops/mul/mul.h"

#include "runtime/ops/rules.h"
#include "runtime/ops/sum_rows/sum_rows.h"

namespace hearth {

std::string_view Mul::name() const {
  return "mul";
}
std::string Mul::attributes() const {
  return "";
}

Result<std::vector<TensorType>> Mul::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"a", Accept::f32, 0}, {"b", Accept::f32, 0}}));
  const Shape &a = inputs[0].shape, &b = inputs[1].shape;
  if (!(a == b) && !(b.rank() == 1 && b.last() == a.last()))
    return shape_error("mul", "b", "of a's shape or one row of it", a.to_string() + " and " + b.to_string());
  return std::vector{inputs[0]};
}

void Mul::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].shape().n_elements(), n_b = inputs[1].shape().n_elements();
  for (int64_t i = 0; i < n; ++i) outputs[0].f32()[i] = inputs[0].f32()[i] * inputs[1].f32()[i % n_b];
}

Result<std::vector<Value>> Mul::gradient(GradientBuilder& g) const {
  const bool is_row = !(g.b.type(g.input(0)).shape == g.b.type(g.input(1)).shape);
  Value db = g.needs(1) ? g.b.mul(g.grad(), g.input(0)) : Value();
  if (db && is_row) db = g.b.apply(std::make_shared<SumRows>(), {db});
  return std::vector{g.needs(0) ? g.b.mul(g.grad(), g.input(1)) : Value(), db};
}

ShardingRule Mul::sharding(Types inputs) const {
  const bool is_row = !(inputs[0].shape == inputs[1].shape);
  ShardingRule rule = elementwise_sharding(inputs, 1);
  if (is_row) rule.inputs[1] = {rule.inputs[0].back()};
  rule.keeps_zeros = !is_row;
  rule.linear = {{0}, {1}};
  return rule;
}

Cost Mul::cost(Types inputs, Types outputs) const {
  return streaming_cost(static_cast<double>(outputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> Mul::samples() {
  auto op = std::make_shared<Mul>();
  return sample_list(make_sample("small", op, {0, 1}, random_tensor({4, 36}, 1), random_tensor({4, 36}, 2)),
                     make_sample("row", op, {0, 1}, random_tensor({6, 20}, 3), random_tensor({20}, 4)),
                     make_sample("number", op, {0, 1}, random_tensor({77, 1}, 5), random_tensor({1}, 6)),
                     make_sample("cut", op, {}, random_tensor({12, 36}, 7), random_tensor({12, 36}, 8)));
}

}  // namespace hearth
