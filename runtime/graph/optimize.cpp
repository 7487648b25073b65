// optimize, accumulate_gradients, optimize_accumulated: what follows backward, as nodes over states.
#include <cmath>

#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/accumulate/accumulate.h"
#include "runtime/ops/adamw/adamw.h"
#include "runtime/ops/global_norm/global_norm.h"

namespace hearth {
namespace {

const TensorType kScalar{Dtype::f32, {1}};
constexpr const char* kLossSum = "loss.sum";

Value state(Builder& b, const std::string& name, const TensorType& type) {
  return b.state(name, type, StateKind::per_parameter);
}

Result<void> check_gradients(const Graph& graph, std::span<const Gradient> gradients) {
  if (gradients.empty()) return error(Code::invalid_argument, "optimize: nothing is trained");
  for (const Gradient& g : gradients) {
    const Value parameter = graph.find(g.parameter);
    if (!parameter || graph.info(parameter).kind != ValueKind::parameter)
      return error(Code::invalid_argument, "optimize: the graph has no parameter \"{}\"", g.parameter);
    if (!g.value) return error(Code::invalid_argument, "optimize: no gradient flows to \"{}\"", g.parameter);
    if (!(graph.type(g.value) == graph.type(parameter)))
      return error(Code::invalid_argument, "optimize: the gradient of \"{}\" is {}, the parameter {}", g.parameter,
                   graph.type(g.value).to_string(), graph.type(parameter).to_string());
  }
  return {};
}

Result<Value> loss_of(const Graph& graph) {
  if (!graph.outputs().empty() && graph.outputs()[0] && graph.type(graph.outputs()[0]) == kScalar)
    return graph.outputs()[0];
  return error(Code::invalid_argument, "optimize: the graph's first output must be the loss, f32[1]");
}

// Norm, clipping, and the next versions of parameters and their means. Returns the norm.
Value append_update(Builder& b, Value loss, std::span<const Gradient> gradients, const Optimizer& optimizer) {
  b.set_scope("update");
  std::vector<Value> all{loss};
  for (const Gradient& g : gradients) all.push_back(g.value);
  const std::vector<Value> norm = b.apply_all(std::make_shared<GlobalNorm>(optimizer.max_norm), std::move(all));
  const Value rates = b.input("rates", {Dtype::f32, {3}});
  for (const Gradient& g : gradients) {
    const AdamW::Attributes attributes{static_cast<float>(optimizer.beta1), static_cast<float>(optimizer.beta2),
                                       static_cast<float>(optimizer.eps),
                                       g.decays ? static_cast<float>(optimizer.weight_decay) : 0.0f};
    const TensorType type = b.type(g.value);
    b.apply_all(std::make_shared<AdamW>(attributes), {state(b, g.parameter, type), state(b, g.parameter + ".m", type),
                                                      state(b, g.parameter + ".v", type), g.value, norm[1], rates});
  }
  return norm[0];
}

}  // namespace

Rates rates_of(const Optimizer& optimizer, double learning_rate, int64_t step) {
  const auto correction = [&](double beta) {
    return static_cast<float>(1 / (1 - std::pow(beta, static_cast<double>(step))));
  };
  return {static_cast<float>(learning_rate), correction(optimizer.beta1), correction(optimizer.beta2)};
}

Result<Graph> optimize(const Graph& backward, std::span<const Gradient> gradients, const Optimizer& optimizer) {
  TRY(check_gradients(backward, gradients));
  const Value loss = TRY(loss_of(backward));
  Graph graph = backward;
  graph.set_outputs({});
  for (const Gradient& g : gradients) graph.make_state(graph.find(g.parameter), StateKind::per_parameter);
  Builder b = Builder::continuing(std::move(graph));
  const Value norm = append_update(b, loss, gradients, optimizer);
  b.output(loss);
  b.output(norm);
  for (const Gradient& g : gradients) b.output(g.value);
  return b.finish();
}

Result<Graph> accumulate_gradients(const Graph& backward, std::span<const Gradient> gradients) {
  TRY(check_gradients(backward, gradients));
  const Value loss = TRY(loss_of(backward));
  Graph graph = backward;
  graph.set_outputs({});
  Builder b = Builder::continuing(std::move(graph));
  b.set_scope("accumulate");
  const Value keep = b.input("keep", kScalar);
  const auto add = [&](const std::string& name, Value v) {
    b.apply(std::make_shared<Accumulate>(), {state(b, name, b.type(v)), v, keep});
  };
  add(kLossSum, loss);
  for (const Gradient& g : gradients) add(g.parameter + ".grad", g.value);
  b.output(loss);
  return b.finish();
}

Result<Graph> optimize_accumulated(const Graph& backward, std::span<const Gradient> gradients,
                                   const Optimizer& optimizer) {
  TRY(check_gradients(backward, gradients));
  Builder b;
  std::vector<Gradient> sums;
  for (const Gradient& g : gradients)
    sums.push_back({g.parameter, state(b, g.parameter + ".grad", backward.type(g.value)), g.decays});
  b.output(append_update(b, state(b, kLossSum, kScalar), sums, optimizer));
  return b.finish();
}

}  // namespace hearth
