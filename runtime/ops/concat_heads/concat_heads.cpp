// concat_heads: rules.
#include "runtime/ops/concat_heads/concat_heads.h"

#include "runtime/ops/rules.h"
#include "runtime/ops/slice_heads/slice_heads.h"

namespace hearth {

std::string_view ConcatHeads::name() const {
  return "concat_heads";
}
std::string ConcatHeads::attributes() const {
  return fmt::format("n_heads={}", n_heads);
}

Result<std::vector<TensorType>> ConcatHeads::infer(Types inputs) const {
  TRY(check_operands("concat_heads", inputs, {{"a", Accept::f32, 2}, {"b", Accept::f32, 2}}));
  const Shape &a = inputs[0].shape, &b = inputs[1].shape;
  if (n_heads < 1 || a[0] != b[0] || a[1] % n_heads != 0 || b[1] % n_heads != 0)
    return shape_error("concat_heads", "operands", fmt::format("rows of {} heads, as many in both", n_heads),
                       inputs[0].to_string() + " and " + inputs[1].to_string());
  return std::vector{TensorType{Dtype::f32, {a[0], a[1] + b[1]}}};
}

void ConcatHeads::reference(Views inputs, Views outputs) const {
  const int64_t A = inputs[0].dim(1) / n_heads, B = inputs[1].dim(1) / n_heads;
  for (int64_t h = 0; h < inputs[0].dim(0) * n_heads; ++h) {
    for (int64_t i = 0; i < A; ++i) outputs[0].f32()[h * (A + B) + i] = inputs[0].f32()[h * A + i];
    for (int64_t i = 0; i < B; ++i) outputs[0].f32()[h * (A + B) + A + i] = inputs[1].f32()[h * B + i];
  }
}

Result<std::vector<Value>> ConcatHeads::gradient(GradientBuilder& g) const {
  const int A = static_cast<int>(g.b.type(g.input(0)).shape[1] / n_heads),
            B = static_cast<int>(g.b.type(g.input(1)).shape[1] / n_heads);
  Value da, db;
  if (g.needs(0)) da = g.b.apply(std::make_shared<SliceHeads>(A + B, 0, A), {g.grad()});
  if (g.needs(1)) db = g.b.apply(std::make_shared<SliceHeads>(A + B, A, B), {g.grad()});
  return std::vector{da, db};
}

Sharding ConcatHeads::sharding(Types) const {
  Sharding rule{{{"T", "H"}, {"T", "H"}}, {{"T", "H"}}, {"T"}};
  if (n_heads > 1) rule.shardable.push_back("H");
  return rule;
}
std::shared_ptr<const Op> ConcatHeads::shard(std::string_view axis, int, int n, Types) const {
  return axis == "H" ? std::make_shared<ConcatHeads>(n_heads / n) : nullptr;
}

Cost ConcatHeads::cost(Types inputs, Types outputs) const {
  return streaming_cost(0, inputs, outputs);
}

std::vector<Sample> ConcatHeads::samples() {
  return sample_list(make_sample("two_heads", std::make_shared<ConcatHeads>(2), {0, 1}, random_tensor({4, 10}, 1),
                                 random_tensor({4, 6}, 2)),
                     make_sample("one_head", std::make_shared<ConcatHeads>(1), {0, 1}, random_tensor({3, 32}, 3),
                                 random_tensor({3, 8}, 4)),
                     make_sample("cut", std::make_shared<ConcatHeads>(12), {}, random_tensor({12, 12 * 5}, 5),
                                 random_tensor({12, 12 * 3}, 6)));
}

}  // namespace hearth
