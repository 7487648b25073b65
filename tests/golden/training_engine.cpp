// See training_engine.h.
#include "tests/golden/training_engine.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "runtime/architectures/model_graphs.h"
#include "base/sanitizers.h"
#include "runtime/exec/devices.h"
#include "runtime/exec/executor.h"
#include "runtime/exec/interpreter.h"
#include "runtime/graph/rewrites.h"

namespace hearth::golden {
namespace {

constexpr int kTokens = 24, kDocument = 13;  // of the training graph: two documents

// eps is above the rounding of gradients, so that the sign of one that is zero but for that decides nothing.
constexpr Optimizer kOptimizer{.eps = 1e-4, .weight_decay = 0.1, .max_norm = 1};
constexpr double kLearningRate = 1e-2;

struct Training {
  Graph graph;
  std::vector<std::string> names;  // of the parameters that learn; their gradients are outputs after loss and norm,
  size_t n_routes = 0;             // and after those the experts that each chose
};
constexpr size_t kFirstGradient = 2;

Result<Training> training_of(const LoadedModel& model, Dtype activations) {
  auto dtype_of = [](const ParameterSpec&) { return Dtype::f32; };
  TrainingGraph forward = TRY(build_training_graph(model.config, dtype_of, kTokens, {}, activations));
  Training out;
  std::vector<Value> wrt;
  for (const ParameterSpec& spec : model.parameters) {
    if (spec.kind == ParameterKind::constant) continue;
    out.names.push_back(spec.role);
    wrt.push_back(forward.graph.find(spec.role));
  }
  const Differentiated backward = TRY(differentiate(forward.graph, forward.loss, wrt));
  std::vector<Gradient> gradients;
  for (size_t i = 0; i < wrt.size(); ++i)
    gradients.push_back({out.names[i], backward.grads[i], forward.graph.type(wrt[i]).shape.rank() > 1});
  out.graph = TRY(optimize(backward.graph, gradients, kOptimizer));
  std::vector<Value> outputs = out.graph.outputs();
  for (const Node& node : forward.graph.nodes())
    if (node.op->name() == "route") outputs.push_back(node.outputs[1]), ++out.n_routes;
  out.graph.set_outputs(std::move(outputs));
  return out;
}

// input(name): where an input is.
template <class Input>
void fill_inputs(Input input, int vocab_size) {
  for (int t = 0; t < kTokens; ++t) {
    input("tokens").i32()[t] = (t * 7 + 3) % vocab_size;
    input("positions").i32()[t] = t < kDocument ? t : t - kDocument;
    input("segment_begin").i32()[t] = t < kDocument ? 0 : kDocument;
    input("targets").i32()[t] = t == 5 ? -1 : (t * 5 + 1) % vocab_size;
    input("loss_weights").f32()[t] = t == 5 ? 0 : 1.0f / (kTokens - 1);
  }
  input("dloss").f32()[0] = 1;
  const Rates rates = rates_of(kOptimizer, kLearningRate, 1);
  std::copy(rates.begin(), rates.end(), input("rates").f32());
}

// Widened weights and AdamW's states, by name.
std::map<std::string, Tensor> states_of(const LoadedModel& model, const std::vector<std::string>& learn) {
  std::map<std::string, Tensor> out;
  for (const auto& [role, weight] : model.weights) out[role] = to_f32(weight);
  for (const std::string& name : learn)
    for (const char* mean : {".m", ".v"}) out[name + mean] = Tensor(out.at(name).type());
  return out;
}

template <class Views>
Views views_of(const std::map<std::string, Tensor>& tensors) {
  Views out;
  for (const auto& [name, tensor] : tensors) out[name] = tensor.view();
  return out;
}

// output(i): of the graph. What states became, they tell themselves.
template <class Output>
Step step_of(const Training& training, Output output) {
  Step out;
  out["the loss"] = to_f32(output(0));
  size_t next = kFirstGradient;
  for (const std::string& parameter : training.names) out["the gradient of " + parameter] = to_f32(output(next++));
  for (size_t i = 0; i < training.n_routes; ++i) {
    const TensorView ids = output(next++);
    const Tensor& copy = out[fmt::format("experts of route {}", i)] = Tensor(ids.type);
    std::memcpy(copy.i32(), ids.i32(), static_cast<size_t>(ids.type.bytes()));
  }
  return out;
}

}  // namespace

std::vector<fs::path> tested_cases() {
  if (!HEARTH_HAS_ASAN) return cases();
  constexpr std::string_view kUnderAsan[] = {
      "gqa_untied_fp32",  "gemma3_bf16",      "gemma4_shared_fp32", "gpt_oss_fp32",
      "deepseek_v3_fp32", "qwen3_5_moe_fp32", "mixtral_fp32",       "granitemoehybrid_moe_fp32"};
  std::vector<fs::path> out = cases();
  std::erase_if(out, [&](const fs::path& path) {
    return std::ranges::find(kUnderAsan, path.filename().string()) == std::end(kUnderAsan);
  });
  return out;
}

std::string device_of(const fs::path& path) {
  if (const char* other = std::getenv("HEARTH_TEST_DEVICE")) return other;  // the GPU, in `./dev gpu`
  const std::vector<fs::path> all = cases();
  return fmt::format("emulated:{}", std::find(all.begin(), all.end(), path) - all.begin());
}

Result<Step> train_on(const std::string& name, const LoadedModel& model) {
  const std::unique_ptr<Backend> device = TRY(open_device(name, 2));
  Training training = TRY(training_of(model, device->activations()));
  const std::map<std::string, Tensor> states = states_of(model, training.names);
  std::vector<Buffer> memory;
  const Bindings bindings = TRY(place_on(*device, views_of<Bindings>(states), memory));
  Arena arena(*device);
  Executor executor = TRY(Executor::create(TRY(make_plan(std::move(training.graph), *device)), arena, bindings));
  fill_inputs([&](const char* input) { return executor.input(input); }, model.config.vocab_size);
  TRY(executor.run());
  Step out = step_of(training, [&](size_t i) { return executor.output(i); });
  for (const std::string& parameter : training.names)
    for (const std::string& state : {parameter, parameter + ".m", parameter + ".v"}) {
      const Tensor& copy = out[state] = Tensor(states.at(state).type());
      TRY(device->read(copy.f32(), bindings.at(state).as<std::byte>(), copy.type().bytes()));
    }
  return out;
}

Result<Step> train_by_reference(const LoadedModel& model, Dtype activations) {
  const Training training = TRY(training_of(model, activations));
  const std::map<std::string, Tensor> states = states_of(model, training.names);
  auto bindings = views_of<std::map<std::string, TensorView, std::less<>>>(states);
  std::map<std::string, Tensor> inputs;
  for (const ValueInfo& info : training.graph.values())
    if (info.kind == ValueKind::input) bindings[info.name] = (inputs[info.name] = Tensor(info.type)).view();
  fill_inputs([&](const char* input) { return inputs.at(input).view(); }, model.config.vocab_size);
  const std::vector<Tensor> outputs = TRY(interpret(training.graph, bindings));
  return step_of(training, [&](size_t i) { return outputs[i].view(); });
}

std::string kind_of(const std::string& name) {
  for (const char* mean : {".m", ".v"})
    if (name.ends_with(mean)) return mean;
  if (name.starts_with("experts of ")) return "experts";
  return name.starts_with("the gradient of ") ? "gradients" : name;
}

double largest_of(const Tensor& t) {
  double largest = 0;
  for (int64_t i = 0; i < t.type().shape.n_elements(); ++i)
    largest = std::max(largest, std::fabs(static_cast<double>(t.f32()[i])));
  return largest;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  double difference = 0;
  for (int64_t i = 0; i < a.type().shape.n_elements(); ++i) {
    const double d = std::fabs(static_cast<double>(a.f32()[i]) - b.f32()[i]);
    difference = std::isfinite(d) ? std::max(difference, d) : INFINITY;
  }
  return difference;
}

}  // namespace hearth::golden
