// grouped_matmul and grouped_outer: rules.
#include "runtime/ops/grouped_matmul/grouped_matmul.h"

#include <algorithm>

#include "runtime/ops/rules.h"

namespace hearth {
namespace {

Result<void> check_experts(std::string_view op, const TensorType& expert_begin, int first_expert, int64_t n_experts) {
  if (first_expert >= 0 && n_experts >= 1 && first_expert + n_experts < expert_begin.shape[0]) return {};
  return shape_error(
      op, "expert_begin",
      fmt::format("at least {} long for the experts from {}", first_expert + n_experts + 1, first_expert),
      expert_begin.to_string());
}

// 2 experts without rows, the last and one within.
Tensor sample_begin() {
  return ids_tensor({0, 3, 3, 12, 13, 13});
}

}  // namespace

std::string_view GroupedMatmul::name() const {
  return "grouped_matmul";
}
std::string GroupedMatmul::attributes() const {
  return fmt::format("trans_w={} first_expert={}", trans_w, first_expert);
}

Result<std::vector<TensorType>> GroupedMatmul::infer(Types inputs) const {
  TRY(check_operands(
      *this, inputs,
      {{"x", Accept::activations, 2}, {"w", Accept::laid_out_weight, 3}, {"expert_begin", Accept::i32, 1}}));
  const Shape &x = inputs[0].shape, &w = inputs[1].shape;
  if (inputs[0].dtype == Dtype::q8_0 && (!trans_w || !has_integer_levels(inputs[1].dtype)))
    return shape_error("grouped_matmul", "x", "f32 beside these experts (" + attributes() + ")",
                       inputs[0].to_string() + " and " + inputs[1].to_string());
  if (inputs[1].layout != Layout::row_major && inputs[0].dtype != Dtype::q8_0)
    return shape_error("grouped_matmul", "x", "q8_0 beside these experts",
                       inputs[0].to_string() + " and " + inputs[1].to_string());
  TRY(check_experts("grouped_matmul", inputs[2], first_expert, w[0]));
  if (w[trans_w ? 2 : 1] != x[1])
    return shape_error("grouped_matmul", "w", fmt::format("of inner size {} ({})", x[1], attributes()),
                       inputs[0].to_string() + " and " + inputs[1].to_string());
  const Dtype dtype = inputs[0].dtype == Dtype::bf16 ? Dtype::bf16 : Dtype::f32;
  return std::vector{TensorType{dtype, {x[0], w[trans_w ? 1 : 2]}}};
}

std::vector<int> GroupedMatmul::activations(Types inputs) const {
  return inputs[0].dtype == Dtype::q8_0 ? std::vector<int>{} : std::vector{0};
}

void GroupedMatmul::reference(Views inputs, Views outputs) const {
  const FloatRows x(inputs[0]), w(inputs[1]);
  const int64_t E = inputs[1].dim(0), rows = inputs[1].dim(1), K = inputs[0].dim(1), N = outputs[0].dim(1);
  std::fill(outputs[0].f32(), outputs[0].f32() + outputs[0].shape().n_elements(), 0.0f);
  const int32_t* begin = inputs[2].i32() + first_expert;
  for (int64_t e = 0; e < E; ++e)
    for (int64_t i = begin[e]; i < begin[e + 1]; ++i)
      for (int64_t n = 0; n < N; ++n) {
        double sum = 0;
        for (int64_t k = 0; k < K; ++k)
          sum += static_cast<double>(x.at(i, k)) * (trans_w ? w.at(e * rows + n, k) : w.at(e * rows + k, n));
        outputs[0].f32()[i * N + n] = static_cast<float>(sum);
      }
}

// As for one product: dx = dy · w, dw = dyᵀ · x, in the weight's own orientation.
Result<std::vector<Value>> GroupedMatmul::gradient(GradientBuilder& g) const {
  const Value x = g.input(0), w = g.input(1), begin = g.input(2), dy = g.grad();
  Value dx, dw;
  if (g.b.type(x).dtype == Dtype::q8_0) return not_differentiable(name(), "its activations are quantised");
  if (g.needs(0)) dx = g.b.apply(std::make_shared<GroupedMatmul>(!trans_w, first_expert), {dy, w, begin});
  if (g.needs(1)) {
    const TensorType& type = g.b.type(w);
    if (type.dtype != Dtype::f32)
      return not_differentiable(name(),
                                "the experts are frozen (" + type.to_string() + "); only f32 weights are trained");
    auto outer = std::make_shared<GroupedOuter>(static_cast<int>(type.shape[0]), first_expert);
    dw = trans_w ? g.b.apply(outer, {dy, x, begin}) : g.b.apply(outer, {x, dy, begin});
  }
  return std::vector{dx, dw, Value()};
}

ShardingRule GroupedMatmul::sharding(Types) const {
  ShardingRule rule{{{"", "inner"}, trans_w ? Axes{"", "columns", "inner"} : Axes{"", "inner", "columns"}, {""}},
                    {{"", "columns"}},
                    {"inner", "columns"},
                    {},
                    {{0}, {1}}};
  Alternative by_expert;  // each row is of one part's expert
  by_expert.axis = "expert";
  by_expert.inputs = {{Spread::owned, -1, 1, true}, {Spread::cut, 0, 1}, {}};
  by_expert.outputs = {{Spread::owned}};
  by_expert.owner = 2;
  by_expert.local = [trans = trans_w, first = first_expert](int64_t begin, int64_t) {
    return std::make_shared<GroupedMatmul>(trans, first + static_cast<int>(begin));
  };
  rule.more = {std::move(by_expert)};
  return rule;
}

// At most one expert a row is read.
Cost GroupedMatmul::cost(Types inputs, Types outputs) const {
  const double S = static_cast<double>(inputs[0].shape[0]), E = static_cast<double>(inputs[1].shape[0]);
  const double elements = static_cast<double>(inputs[1].shape.n_elements()) / E;
  Cost cost = streaming_cost(2 * S * elements, inputs, outputs);
  const auto weights = static_cast<double>(inputs[1].bytes());
  cost.bytes_read += weights / E * std::min(S, E) - weights;
  return cost;
}

std::vector<Sample> GroupedMatmul::samples() {
  auto linear = std::make_shared<GroupedMatmul>(true), plain = std::make_shared<GroupedMatmul>(false);
  std::vector<Sample> out = sample_list(
      make_sample("f32", linear, {0, 1}, random_tensor({13, 12}, 1), random_tensor({4, 10, 12}, 2), sample_begin()),
      make_sample("f32_plain", plain, {0, 1}, random_tensor({13, 12}, 3), random_tensor({4, 12, 10}, 4),
                  sample_begin()),
      make_sample("part_of_the_experts", std::make_shared<GroupedMatmul>(true, 1), {0, 1}, random_tensor({13, 12}, 5),
                  random_tensor({2, 10, 12}, 6), sample_begin()),
      make_sample("one_row", linear, {}, random_tensor({1, 64}, 7), random_tensor({4, 70, 64}, 8),
                  ids_tensor({0, 0, 0, 1, 1})));
  for (Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::q8_0, Dtype::q4_0}) {
    const char* name = dtype_info(dtype).name;
    // 23 rows of 6 experts go through the products for few rows, 133 of 3 through the blocked ones.
    out.push_back(make_sample(fmt::format("few_{}", name), linear, {}, random_tensor({23, 96}, 9),
                              random_weights(dtype, {6, 74, 96}, 10), ids_tensor({0, 1, 10, 10, 12, 22, 23})));
    out.push_back(make_sample(fmt::format("many_{}", name), linear, {}, random_tensor({133, 288}, 11),
                              random_weights(dtype, {3, 74, 288}, 12), ids_tensor({0, 1, 90, 133})));
    out.push_back(make_sample(fmt::format("grad_{}", name), plain, {0}, random_tensor({13, 8}, 13),
                              random_weights(dtype, {4, 8, 64}, 14), sample_begin()));
  }
  for (Dtype dtype : {Dtype::q8_0, Dtype::q4_0, Dtype::q4_k}) {
    const char* name = dtype_info(dtype).name;
    out.push_back(make_sample(fmt::format("few_integer_{}", name), linear, {},
                              random_weights(Dtype::q8_0, {23, 256}, 15), random_weights(dtype, {6, 74, 256}, 16),
                              ids_tensor({0, 1, 10, 10, 12, 22, 23})));
    out.push_back(make_sample(fmt::format("many_integer_{}", name), linear, {},
                              random_weights(Dtype::q8_0, {133, 512}, 17), random_weights(dtype, {3, 74, 512}, 18),
                              ids_tensor({0, 1, 90, 133})));
  }
  return out;
}

std::string_view GroupedOuter::name() const {
  return "grouped_outer";
}
std::string GroupedOuter::attributes() const {
  return fmt::format("n_experts={} first_expert={}", n_experts, first_expert);
}

Result<std::vector<TensorType>> GroupedOuter::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"a", Accept::f32, 2}, {"b", Accept::f32, 2}, {"expert_begin", Accept::i32, 1}}));
  TRY(check_experts("grouped_outer", inputs[2], first_expert, n_experts));
  if (inputs[0].shape[0] != inputs[1].shape[0])
    return shape_error("grouped_outer", "b", "as many rows as a",
                       inputs[0].to_string() + " and " + inputs[1].to_string());
  return std::vector{TensorType{Dtype::f32, {n_experts, inputs[0].shape[1], inputs[1].shape[1]}}};
}

void GroupedOuter::reference(Views inputs, Views outputs) const {
  const int64_t M = inputs[0].dim(1), N = inputs[1].dim(1);
  const int32_t* begin = inputs[2].i32() + first_expert;
  for (int64_t e = 0; e < n_experts; ++e)
    for (int64_t m = 0; m < M; ++m)
      for (int64_t n = 0; n < N; ++n) {
        double sum = 0;
        for (int64_t i = begin[e]; i < begin[e + 1]; ++i)
          sum += static_cast<double>(inputs[0].f32()[i * M + m]) * inputs[1].f32()[i * N + n];
        outputs[0].f32()[(e * M + m) * N + n] = static_cast<float>(sum);
      }
}

Result<std::vector<Value>> GroupedOuter::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "only gradients use it");
}
ShardingRule GroupedOuter::sharding(Types) const {
  ShardingRule rule{
      {{"", "rows"}, {"", "columns"}, {""}}, {{"", "rows", "columns"}}, {"rows", "columns"}, {}, {{0}, {1}}};
  Alternative by_expert;
  by_expert.axis = "expert";
  by_expert.inputs = {{Spread::owned, -1, 1, true}, {Spread::owned, -1, 1, true}, {}};
  by_expert.outputs = {{Spread::cut, 0, 1}};
  by_expert.owner = 2;
  by_expert.local = [first = first_expert](int64_t begin, int64_t end) {
    return std::make_shared<GroupedOuter>(static_cast<int>(end - begin), first + static_cast<int>(begin));
  };
  rule.more = {std::move(by_expert)};
  return rule;
}

Cost GroupedOuter::cost(Types inputs, Types outputs) const {
  return streaming_cost(2.0 * static_cast<double>(inputs[0].shape[0]) * static_cast<double>(inputs[0].shape[1]) *
                            static_cast<double>(inputs[1].shape[1]),
                        inputs, outputs);
}

std::vector<Sample> GroupedOuter::samples() {
  return sample_list(make_sample("all", std::make_shared<GroupedOuter>(5, 0), {}, random_tensor({13, 10}, 1),
                                 random_tensor({13, 36}, 2), sample_begin()),
                     make_sample("part", std::make_shared<GroupedOuter>(2, 2), {}, random_tensor({13, 10}, 3),
                                 random_tensor({13, 36}, 4), sample_begin()));
}

}  // namespace hearth
