// token_logprobs and token_logprobs_backward: rules. The references are those of linear_cross_entropy, whose nll they
// are the negative of.
#include "runtime/ops/token_logprobs/token_logprobs.h"

#include <algorithm>

#include "runtime/ops/rules.h"

namespace hearth {
namespace {

constexpr Operand kX{"x", Accept::f32, 2}, kW{"w", Accept::weight, 2}, kTargets{"targets", Accept::i32, 1},
    kGradient{"dlogprobs", Accept::f32, 1};

Result<void> check_shapes(std::string_view op, Types inputs) {
  if (inputs[1].shape[1] != inputs[0].shape[1])
    return shape_error(op, "w", "[V, C] for x [T, C]", inputs[0].to_string() + " and " + inputs[1].to_string());
  for (size_t i = 2; i < inputs.size(); ++i)
    if (inputs[i].shape[0] != inputs[0].shape[0])
      return shape_error(op, i == 2 ? "targets" : "dlogprobs", "one per row of x",
                         inputs[0].to_string() + " and " + inputs[i].to_string());
  return {};
}

Cost product_cost(double products, Types inputs, Types outputs) {
  const Shape &x = inputs[0].shape, &w = inputs[1].shape;
  const double logits = static_cast<double>(x[0]) * static_cast<double>(w[0]);
  return streaming_cost((2 * products * static_cast<double>(x[1]) + 4) * logits, inputs, outputs);
}

Tensor scalar(float value) {
  Tensor out(TensorType{Dtype::f32, {1}});
  *out.f32() = value;
  return out;
}

}  // namespace

std::string_view TokenLogprobs::name() const {
  return "token_logprobs";
}
std::string TokenLogprobs::attributes() const {
  return form.to_string();
}

Result<std::vector<TensorType>> TokenLogprobs::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {kX, kW, kTargets}));
  TRY(check_shapes(name(), inputs));
  return std::vector{TensorType{Dtype::f32, {inputs[0].shape[0]}}};
}

void TokenLogprobs::reference(Views inputs, Views outputs) const {
  const Tensor one = scalar(1), nll = scalar(0);
  const TensorView loss = nll.view();
  for (int64_t t = 0; t < inputs[0].dim(0); ++t) {
    const TensorView token[] = {{{Dtype::f32, {1, inputs[0].dim(1)}}, inputs[0].row(t)},
                                inputs[1],
                                {{Dtype::i32, {1}}, inputs[2].i32() + t},
                                one.view()};
    LinearCrossEntropy(form).reference(token, {&loss, 1});
    outputs[0].f32()[t] = 0 - *nll.f32();
  }
}

Result<std::vector<Value>> TokenLogprobs::gradient(GradientBuilder& g) const {
  const TensorType& w = g.b.type(g.input(1));
  if (g.needs(1) && w.dtype != Dtype::f32)
    return not_differentiable(name(),
                              "w is frozen (" + w.to_string() + "); train f32 weights or a low-rank update elsewhere");
  const std::vector<Value> out = g.b.apply_all(std::make_shared<TokenLogprobsBackward>(form, g.needs(1)),
                                               {g.input(0), g.input(1), g.input(2), g.grad()});
  return std::vector{out[0], g.needs(1) ? out[1] : Value(), Value()};
}

// T alone is cut: every part has the whole vocabulary.
ShardingRule TokenLogprobs::sharding(Types) const {
  return {{{"position", ""}, {"", ""}, {"position"}}, {{"position"}}, {"position"}};
}
Cost TokenLogprobs::cost(Types inputs, Types outputs) const {
  return product_cost(1, inputs, outputs);
}

// Those of linear_cross_entropy, without the weights.
std::vector<Sample> TokenLogprobs::samples() {
  std::vector<Sample> out = LinearCrossEntropy::samples();
  for (Sample& sample : out) {
    sample.op = std::make_shared<TokenLogprobs>(static_cast<const LinearCrossEntropy&>(*sample.op).form);
    sample.inputs.pop_back();
  }
  return out;
}

std::string_view TokenLogprobsBackward::name() const {
  return "token_logprobs_backward";
}
std::string TokenLogprobsBackward::attributes() const {
  return fmt::format("{} trains_w={}", form.to_string(), trains_w);
}

Result<std::vector<TensorType>> TokenLogprobsBackward::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {kX, kW, kTargets, kGradient}));
  TRY(check_shapes(name(), inputs));
  if (trains_w && inputs[1].dtype != Dtype::f32) return shape_error(name(), "w", "f32", inputs[1].to_string());
  std::vector<TensorType> out{inputs[0]};
  if (trains_w) out.push_back(inputs[1]);
  return out;
}

void TokenLogprobsBackward::reference(Views inputs, Views outputs) const {
  const Tensor minus = scalar(-1), loss = scalar(0);
  std::vector<TensorView> of_nll(inputs.begin(), inputs.end()), results{loss.view()};
  of_nll.push_back(minus.view());
  results.insert(results.end(), outputs.begin(), outputs.end());
  LinearCrossEntropyBackward(form, trains_w).reference(of_nll, results);
}

Result<std::vector<Value>> TokenLogprobsBackward::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it is a first-order gradient");
}
ShardingRule TokenLogprobsBackward::sharding(Types) const {
  ShardingRule rule{
      {{"position", ""}, {"", ""}, {"position"}, {"position"}}, {{"position", ""}}, {"position"}, {}, {{3}}};
  if (trains_w) rule.outputs.push_back({"", ""});
  return rule;
}
Cost TokenLogprobsBackward::cost(Types inputs, Types outputs) const {
  return product_cost(trains_w ? 3 : 2, inputs, outputs);
}

std::vector<Sample> TokenLogprobsBackward::samples() {
  std::vector<Sample> out = LinearCrossEntropyBackward::samples();
  for (Sample& sample : out) {
    const auto& like = static_cast<const LinearCrossEntropyBackward&>(*sample.op);
    sample.op = std::make_shared<TokenLogprobsBackward>(like.form, like.trains_w);
    sample.inputs.pop_back();  // dloss; the weights are the gradient
  }
  return out;
}

}  // namespace hearth
