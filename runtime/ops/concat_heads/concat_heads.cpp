// concat_heads: rules.
#include "runtime/ops/concat_heads/concat_heads.h"

#include "runtime/ops/rules.h"
#include "runtime/ops/slice_axis/slice_axis.h"

namespace hearth {

std::string_view ConcatHeads::name() const {
  return "concat_heads";
}
std::string ConcatHeads::attributes() const {
  return "";
}

Result<std::vector<TensorType>> ConcatHeads::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"a", Accept::f32, 0}, {"b", Accept::f32, 0}}));
  TensorType out = inputs[0];
  const int last = out.shape.rank() - 1;
  out.shape[last] = inputs[1].shape.last();
  if (!(out == inputs[1]))
    return shape_error("concat_heads", "operands", "of one shape but for the last axis",
                       inputs[0].to_string() + " and " + inputs[1].to_string());
  out.shape[last] += inputs[0].shape.last();
  return std::vector{out};
}

void ConcatHeads::reference(Views inputs, Views outputs) const {
  const int64_t A = inputs[0].shape().last(), B = inputs[1].shape().last();
  for (int64_t h = 0; h < inputs[0].shape().n_rows(); ++h) {
    for (int64_t i = 0; i < A; ++i) outputs[0].f32()[h * (A + B) + i] = inputs[0].f32()[h * A + i];
    for (int64_t i = 0; i < B; ++i) outputs[0].f32()[h * (A + B) + A + i] = inputs[1].f32()[h * B + i];
  }
}

Result<std::vector<Value>> ConcatHeads::gradient(GradientBuilder& g) const {
  const Shape& a = g.b.type(g.input(0)).shape;
  const int64_t A = a.last(), B = g.b.type(g.input(1)).shape.last();
  const int last = a.rank() - 1;
  Value da, db;
  if (g.needs(0)) da = g.b.apply(std::make_shared<SliceAxis>(last, 0, A), {g.grad()});
  if (g.needs(1)) db = g.b.apply(std::make_shared<SliceAxis>(last, A, B), {g.grad()});
  return std::vector{da, db};
}

ShardingRule ConcatHeads::sharding(Types inputs) const {
  ShardingRule rule = rows_sharding(inputs, 1);
  rule.linear = {{0, 1}};
  return rule;
}

Cost ConcatHeads::cost(Types inputs, Types outputs) const {
  return streaming_cost(0, inputs, outputs);
}

std::vector<Sample> ConcatHeads::samples() {
  return sample_list(make_sample("two_heads", std::make_shared<ConcatHeads>(), {0, 1}, random_tensor({4, 2, 5}, 1),
                                 random_tensor({4, 2, 3}, 2)),
                     make_sample("one_head", std::make_shared<ConcatHeads>(), {0, 1}, random_tensor({3, 32}, 3),
                                 random_tensor({3, 8}, 4)),
                     make_sample("cut", std::make_shared<ConcatHeads>(), {}, random_tensor({12, 12, 5}, 5),
                                 random_tensor({12, 12, 3}, 6)));
}

}  // namespace hearth
