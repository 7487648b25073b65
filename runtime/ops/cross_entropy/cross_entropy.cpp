// cross_entropy and cross_entropy_backward: rules.
#include "runtime/ops/cross_entropy/cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "runtime/ops/collective/collective.h"
#include "runtime/ops/cross_entropy/part_loss.h"
#include "runtime/ops/rules.h"
#include "runtime/ops/sum_rows/sum_rows.h"

namespace hearth {

std::string_view CrossEntropy::name() const {
  return "cross_entropy";
}
std::string CrossEntropy::attributes() const {
  return "";
}

namespace {

Result<void> check_rows(std::string_view op, Types inputs) {
  for (size_t i : {1u, 2u})
    if (inputs[i].shape[0] != inputs[0].shape[0])
      return shape_error(op, i == 1 ? "targets" : "weights", "one per row of logits",
                         inputs[0].to_string() + " and " + inputs[i].to_string());
  return {};
}

Tensor sample_targets(int64_t n, int64_t vocab) {
  Tensor out = random_ids(n, vocab, 9);
  out.i32()[1] = -1;
  return out;
}

}  // namespace

Result<std::vector<TensorType>> CrossEntropy::infer(Types inputs) const {
  TRY(check_operands(*this, inputs,
                     {{"logits", Accept::f32, 2}, {"targets", Accept::i32, 1}, {"weights", Accept::f32, 1}}));
  TRY(check_rows(name(), inputs));
  return std::vector{TensorType{Dtype::f32, {1}}, TensorType{Dtype::f32, {inputs[0].shape[0]}}};
}

void CrossEntropy::reference(Views inputs, Views outputs) const {
  const int64_t n_rows = inputs[0].dim(0), n = inputs[0].dim(1);
  double loss = 0;
  for (int64_t t = 0; t < n_rows; ++t) {
    const int32_t target = inputs[1].i32()[t];
    outputs[1].f32()[t] = 0;
    if (target < 0 || target >= n) continue;
    const float* row = inputs[0].f32() + t * n;
    const double largest = *std::max_element(row, row + n);
    double sum = 0;
    for (int64_t v = 0; v < n; ++v) sum += std::exp(row[v] - largest);
    const double lse = largest + std::log(sum);
    outputs[1].f32()[t] = static_cast<float>(lse);
    loss += inputs[2].f32()[t] * (lse - row[target]);
  }
  outputs[0].f32()[0] = static_cast<float>(loss);
}

Result<std::vector<Value>> CrossEntropy::gradient(GradientBuilder& g) const {
  if (g.grad(1)) return not_differentiable(name(), "nothing may depend on lse");
  return std::vector{
      g.b.apply(std::make_shared<CrossEntropyBackward>(), {g.input(0), g.input(1), g.input(2), g.output(1), g.grad(0)}),
      Value(), Value()};
}

// The vocabulary may be cut: parts exchange log-sum-exps and the targets' logits.
ShardingRule CrossEntropy::sharding(Types) const {
  Alternative by_vocabulary;
  by_vocabulary.axis = "vocabulary";
  by_vocabulary.inputs = {{Spread::cut, 1, 1}, {}, {}};
  by_vocabulary.outputs = {{}, {}};
  by_vocabulary.nodes = [](const Part& p) {
    const PartLoss out = loss_of_part(p, p.inputs[0], p.inputs[1], p.inputs[2]);
    return std::vector{out.loss, out.lse};
  };
  ShardingRule rule{{{"position", ""}, {"position"}, {"position"}}, {{""}, {"position"}}, {"position"}};
  rule.more = {std::move(by_vocabulary)};
  return rule;
}

PartLoss loss_of_part(const Part& p, Value logits, Value targets, Value weights) {
  const std::vector<Value> mine = p.b.apply_all(std::make_shared<CrossEntropyPart>(p.begin), {logits, targets});
  auto of_all = [&](Value v, Reduction how) {
    return p.b.apply(std::make_shared<AllReduce>(p.mesh, p.index, p.n, how), {v});
  };
  const Value learns = mine[2], lse = p.b.mul(of_all(mine[0], Reduction::log_sum_exp), learns);
  const Value nll = p.b.add(lse, p.b.scale(of_all(mine[1], Reduction::sum), -1));
  const Value column = p.b.split(p.b.mul(nll, weights), 0, 1);
  return {p.b.apply(std::make_shared<SumRows>(), {column}), lse};
}

Cost CrossEntropy::cost(Types inputs, Types outputs) const {
  return streaming_cost(3.0 * static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> CrossEntropy::samples() {
  auto op = std::make_shared<CrossEntropy>();
  return sample_list(
      make_sample("small", op, {0}, random_tensor({4, 20}, 1, 3), sample_targets(4, 20), random_tensor({4}, 2)),
      make_sample("wide", op, {}, random_tensor({6, 3001}, 3, 20), sample_targets(6, 3001), random_tensor({6}, 4)));
}

std::string_view CrossEntropyBackward::name() const {
  return "cross_entropy_backward";
}
std::string CrossEntropyBackward::attributes() const {
  return begin == 0 ? "" : fmt::format("begin={}", begin);
}

Result<std::vector<TensorType>> CrossEntropyBackward::infer(Types inputs) const {
  TRY(check_operands(*this, inputs,
                     {{"logits", Accept::f32, 2},
                      {"targets", Accept::i32, 1},
                      {"weights", Accept::f32, 1},
                      {"lse", Accept::f32, 1},
                      {"dloss", Accept::f32, 1}}));
  TRY(check_rows(name(), inputs));
  return std::vector{inputs[0]};
}

void CrossEntropyBackward::reference(Views inputs, Views outputs) const {
  const int64_t n_rows = inputs[0].dim(0), n = inputs[0].dim(1);
  for (int64_t t = 0; t < n_rows; ++t) {
    const int64_t target = inputs[1].i32()[t] - begin;
    const bool counts = inputs[1].i32()[t] >= 0 && (begin > 0 || target < n);
    const double weight = counts ? static_cast<double>(inputs[2].f32()[t]) * inputs[4].f32()[0] : 0;
    for (int64_t v = 0; v < n; ++v) {
      const double p = counts ? std::exp(static_cast<double>(inputs[0].f32()[t * n + v]) - inputs[3].f32()[t]) : 0;
      outputs[0].f32()[t * n + v] = static_cast<float>(weight * (p - (v == target ? 1 : 0)));
    }
  }
}

Result<std::vector<Value>> CrossEntropyBackward::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it is a first-order gradient");
}
ShardingRule CrossEntropyBackward::sharding(Types) const {
  ShardingRule rule{{{"position", "vocabulary"}, {"position"}, {"position"}, {"position"}, {""}},
                    {{"position", "vocabulary"}},
                    {"position", "vocabulary"},
                    {},
                    {{4}}};
  rule.local["vocabulary"] = [at = begin](int64_t begin, int64_t) {
    return std::make_shared<CrossEntropyBackward>(at + begin);
  };
  return rule;
}

Cost CrossEntropyBackward::cost(Types inputs, Types outputs) const {
  return streaming_cost(4.0 * static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> CrossEntropyBackward::samples() {
  std::vector<Sample> out;
  for (Sample& forward : CrossEntropy::samples()) {
    std::vector<TensorView> inputs;
    for (const Tensor& tensor : forward.inputs) inputs.push_back(tensor.view());
    Tensor loss(TensorType{Dtype::f32, {1}}), lse(TensorType{Dtype::f32, {inputs[0].dim(0)}}),
        dloss(TensorType{Dtype::f32, {1}});
    const TensorView outputs[] = {loss.view(), lse.view()};
    forward.op->reference(inputs, outputs);
    dloss.f32()[0] = 0.7f;
    Sample sample = make_sample(forward.name, std::make_shared<CrossEntropyBackward>(), {});
    sample.inputs = std::move(forward.inputs);
    sample.inputs.push_back(std::move(lse));
    sample.inputs.push_back(std::move(dloss));
    out.push_back(std::move(sample));
  }
  Sample part =
      make_sample("part", std::make_shared<CrossEntropyBackward>(20), {}, random_tensor({12, 300}, 5, 3),
                  sample_targets(12, 600), random_tensor({12}, 6), random_tensor({12}, 7), random_tensor({1}, 8));
  for (int64_t t = 0; t < 12; ++t) part.inputs[3].f32()[t] += 9;
  out.push_back(std::move(part));
  return out;
}

std::string_view CrossEntropyPart::name() const {
  return "cross_entropy_part";
}
std::string CrossEntropyPart::attributes() const {
  return fmt::format("begin={}", begin);
}

Result<std::vector<TensorType>> CrossEntropyPart::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"logits", Accept::f32, 2}, {"targets", Accept::i32, 1}}));
  if (inputs[1].shape[0] != inputs[0].shape[0] || inputs[0].shape[1] == 0)
    return shape_error(name(), "targets", "one per row of logits, of which there are some",
                       inputs[0].to_string() + " and " + inputs[1].to_string());
  const TensorType row{Dtype::f32, {inputs[0].shape[0]}};
  return std::vector{row, row, row};
}

void CrossEntropyPart::reference(Views inputs, Views outputs) const {
  const int64_t n = inputs[0].dim(1);
  for (int64_t t = 0; t < inputs[0].dim(0); ++t) {
    const int64_t target = inputs[1].i32()[t] - begin;
    const bool learns = inputs[1].i32()[t] >= 0;
    const float* row = inputs[0].f32() + t * n;
    const double largest = *std::max_element(row, row + n);
    double sum = 0;
    for (int64_t v = 0; v < n; ++v) sum += std::exp(row[v] - largest);
    outputs[0].f32()[t] = learns ? static_cast<float>(largest + std::log(sum)) : 0;
    outputs[1].f32()[t] = learns && target >= 0 && target < n ? row[target] : 0;
    outputs[2].f32()[t] = learns ? 1 : 0;
  }
}

Result<std::vector<Value>> CrossEntropyPart::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "a graph is differentiated first, and sharded then");
}
ShardingRule CrossEntropyPart::sharding(Types) const {
  const Axes rows{"position"};
  return {{{"position", ""}, rows}, {rows, rows, rows}, {"position"}};
}
Cost CrossEntropyPart::cost(Types inputs, Types outputs) const {
  return streaming_cost(3.0 * static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> CrossEntropyPart::samples() {
  return sample_list(make_sample("first", std::make_shared<CrossEntropyPart>(0), {}, random_tensor({6, 20}, 1, 3),
                                 sample_targets(6, 60)),
                     make_sample("middle", std::make_shared<CrossEntropyPart>(20), {}, random_tensor({12, 300}, 2, 9),
                                 sample_targets(12, 600)));
}

}  // namespace hearth
