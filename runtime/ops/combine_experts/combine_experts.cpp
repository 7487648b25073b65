// combine_experts and combine_experts_backward: rules.
#include "runtime/ops/combine_experts/combine_experts.h"

#include "runtime/ops/rules.h"

namespace hearth {
namespace {

Result<void> check_slots(std::string_view op, Types inputs) {
  TRY(check_same_shape(op, inputs, 1, 2));
  if (inputs[0].shape[0] == inputs[1].shape.n_elements()) return {};
  return shape_error(op, "y", "one row per slot", inputs[0].to_string() + " and " + inputs[1].to_string());
}

Tensor sample_rows(Shape shape) {
  Tensor out(TensorType{Dtype::i32, shape});
  const int64_t n = shape.n_elements();
  for (int64_t i = 0; i < n; ++i) out.i32()[i] = static_cast<int32_t>((i * 7 + 3) % n);  // 7 does not divide n
  return out;
}

}  // namespace

std::string_view CombineExperts::name() const {
  return "combine_experts";
}
std::string CombineExperts::attributes() const {
  return "";
}

Result<std::vector<TensorType>> CombineExperts::infer(Types inputs) const {
  TRY(check_operands(*this, inputs,
                     {{"y", Accept::f32, 2}, {"row_of_slot", Accept::i32, 2}, {"weights", Accept::f32, 2}}));
  TRY(check_slots("combine_experts", inputs));
  return std::vector{TensorType{inputs[0].dtype, {inputs[1].shape[0], inputs[0].shape[1]}}};
}

void CombineExperts::reference(Views inputs, Views outputs) const {
  const int64_t C = inputs[0].dim(1), k = inputs[1].dim(1);
  for (int64_t t = 0; t < inputs[1].dim(0); ++t)
    for (int64_t c = 0; c < C; ++c) {
      double sum = 0;
      for (int64_t j = t * k; j < (t + 1) * k; ++j)
        sum += static_cast<double>(inputs[2].f32()[j]) * inputs[0].f32()[inputs[1].i32()[j] * C + c];
      outputs[0].f32()[t * C + c] = static_cast<float>(sum);
    }
}

Result<std::vector<Value>> CombineExperts::gradient(GradientBuilder& g) const {
  const std::vector<Value> grads =
      g.b.apply_all(std::make_shared<CombineExpertsBackward>(), {g.input(0), g.input(1), g.input(2), g.grad()});
  return std::vector{grads[0], Value(), grads[1]};
}

ShardingRule CombineExperts::sharding(Types) const {
  return {{{"", "model"}, {"", ""}, {"", ""}}, {{"", "model"}}, {"model"}, {}, {{0}, {2}}};
}

Cost CombineExperts::cost(Types inputs, Types outputs) const {
  return streaming_cost(2.0 * static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> CombineExperts::samples() {
  auto op = std::make_shared<CombineExperts>();
  return sample_list(
      make_sample("small", op, {0, 2}, random_tensor({12, 36}, 1), sample_rows({6, 2}), random_tensor({6, 2}, 2)),
      make_sample("one_expert", op, {0, 2}, random_tensor({5, 20}, 3), sample_rows({5, 1}), random_tensor({5, 1}, 4)),
      make_sample("one_token", op, {}, random_tensor({8, 132}, 5), sample_rows({1, 8}), random_tensor({1, 8}, 6)));
}

std::string_view CombineExpertsBackward::name() const {
  return "combine_experts_backward";
}
std::string CombineExpertsBackward::attributes() const {
  return "";
}

Result<std::vector<TensorType>> CombineExpertsBackward::infer(Types inputs) const {
  TRY(check_operands(
      *this, inputs,
      {{"y", Accept::f32, 2}, {"row_of_slot", Accept::i32, 2}, {"weights", Accept::f32, 2}, {"dout", Accept::f32, 2}}));
  TRY(check_slots("combine_experts_backward", inputs));
  const Shape wanted{inputs[1].shape[0], inputs[0].shape[1]};
  if (!(inputs[3].shape == wanted))
    return shape_error("combine_experts_backward", "dout", wanted.to_string(), inputs[3].to_string());
  return std::vector{inputs[0], inputs[2]};
}

void CombineExpertsBackward::reference(Views inputs, Views outputs) const {
  const int64_t C = inputs[0].dim(1), k = inputs[1].dim(1);
  for (int64_t slot = 0; slot < inputs[1].shape().n_elements(); ++slot) {
    const int64_t row = inputs[1].i32()[slot];
    const float *dout = inputs[3].f32() + slot / k * C, *y = inputs[0].f32() + row * C;
    double dot = 0;
    for (int64_t c = 0; c < C; ++c) {
      outputs[0].f32()[row * C + c] = inputs[2].f32()[slot] * dout[c];
      dot += static_cast<double>(dout[c]) * y[c];
    }
    outputs[1].f32()[slot] = static_cast<float>(dot);
  }
}

Result<std::vector<Value>> CombineExpertsBackward::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it is a first-order gradient");
}
ShardingRule CombineExpertsBackward::sharding(Types) const {
  Alternative rows_are_sums;  // dy does not look at y
  rows_are_sums.inputs = {{Spread::sum}, {}, {}, {}};
  rows_are_sums.outputs = {{}, {Spread::sum}};
  ShardingRule rule{
      {{"", "model"}, {"", ""}, {"", ""}, {"", "model"}}, {{"", "model"}, {"", ""}}, {"model"}, {}, {{3}}};
  rule.more = {std::move(rows_are_sums)};
  return rule;
}

Cost CombineExpertsBackward::cost(Types inputs, Types outputs) const {
  return streaming_cost(3.0 * static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> CombineExpertsBackward::samples() {
  return sample_list(make_sample("small", std::make_shared<CombineExpertsBackward>(), {}, random_tensor({12, 36}, 1),
                                 sample_rows({6, 2}), random_tensor({6, 2}, 2), random_tensor({6, 36}, 3)));
}

}  // namespace hearth
