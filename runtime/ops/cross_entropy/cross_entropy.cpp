// cross_entropy and cross_entropy_backward: rules.
#include "runtime/ops/cross_entropy/cross_entropy.h"

#include <algorithm>
#include <cmath>
#include "runtime/ops/rules.h"

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

Sharding CrossEntropy::sharding(Types) const {
  return {{{"T", ""}, {"T"}, {"T"}}, {{""}, {"T"}}, {"T"}};
}
std::shared_ptr<const Op> CrossEntropy::shard(std::string_view, int, int, Types) const {
  return nullptr;
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
  return "";
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
    const int32_t target = inputs[1].i32()[t];
    const bool counts = target >= 0 && target < n;
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
Sharding CrossEntropyBackward::sharding(Types) const {
  return {{{"T", ""}, {"T"}, {"T"}, {"T"}, {""}}, {{"T", ""}}, {"T"}};
}
std::shared_ptr<const Op> CrossEntropyBackward::shard(std::string_view, int, int, Types) const {
  return nullptr;
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
  return out;
}

}  // namespace hearth
