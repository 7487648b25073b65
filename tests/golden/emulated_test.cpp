// Every golden checkpoint on the emulated GPU: the CUDA kernels give the logits of the transformers library, and the
// gradients of the CPU and what AdamW makes of them. Each case has a seed of its own for the order of threads.
// AddressSanitizer makes it several times slower, and takes one case of each kind.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "runtime/architectures/model_graphs.h"
#include "runtime/backend/emulated/sanitizers.h"
#include "runtime/exec/devices.h"
#include "runtime/exec/executor.h"
#include "runtime/graph/rewrites.h"
#include "tests/golden/golden_engine.h"

namespace hearth::golden {
namespace {

constexpr int kTokens = 24, kDocument = 13;  // of the training graph: two documents

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
  const std::vector<fs::path> all = cases();
  return fmt::format("emulated:{}", std::find(all.begin(), all.end(), path) - all.begin());
}

// eps is above the rounding of gradients, so that the sign of one that is zero but for that decides nothing.
constexpr Optimizer kOptimizer{.eps = 1e-4, .weight_decay = 0.1, .max_norm = 1};
constexpr double kLearningRate = 1e-2;

struct Training {
  Graph graph;
  std::vector<std::string> names;  // of the parameters that learn; their gradients are outputs after loss and norm
};
constexpr size_t kFirstGradient = 2;

Result<Training> training_of(const LoadedModel& model) {
  auto dtype_of = [](const ParameterSpec&) { return Dtype::f32; };
  TrainingGraph forward = TRY(build_training_graph(model.config, dtype_of, kTokens, {}));
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
  return out;
}

void fill_inputs(Executor& executor, int vocab_size) {
  for (int t = 0; t < kTokens; ++t) {
    executor.input("tokens").i32()[t] = (t * 7 + 3) % vocab_size;
    executor.input("positions").i32()[t] = t < kDocument ? t : t - kDocument;
    executor.input("segment_begin").i32()[t] = t < kDocument ? 0 : kDocument;
    executor.input("targets").i32()[t] = t == 5 ? -1 : (t * 5 + 1) % vocab_size;
    executor.input("loss_weights").f32()[t] = t == 5 ? 0 : 1.0f / (kTokens - 1);
  }
  executor.input("dloss").f32()[0] = 1;
  const Rates rates = rates_of(kOptimizer, kLearningRate, 1);
  std::copy(rates.begin(), rates.end(), executor.input("rates").f32());
}

// Widened weights and AdamW's states, by name.
std::map<std::string, Tensor> states_of(const LoadedModel& model, const std::vector<std::string>& learn) {
  std::map<std::string, Tensor> out;
  for (const auto& [role, weight] : model.weights) out[role] = to_f32(weight);
  for (const std::string& name : learn)
    for (const char* mean : {".m", ".v"}) out[name + mean] = Tensor(out.at(name).type());
  return out;
}

// What a step of training writes, by name: the loss, gradients ("the gradient of w"), and the next versions of the
// parameters and of their means. Weights are widened to f32.
Result<std::map<std::string, Tensor>> train_on(const std::string& name, const LoadedModel& model) {
  const std::unique_ptr<Backend> device = TRY(open_device(name, 2));
  Training training = TRY(training_of(model));
  const std::map<std::string, Tensor> states = states_of(model, training.names);
  Bindings host;
  for (const auto& [role, state] : states) host[role] = state.view();
  std::vector<Buffer> memory;
  const Bindings bindings = TRY(place_on(*device, host, memory));
  Arena arena(*device);
  Executor executor = TRY(Executor::create(TRY(make_plan(std::move(training.graph), *device)), arena, bindings));
  fill_inputs(executor, model.config.vocab_size);
  TRY(executor.run());
  std::map<std::string, Tensor> out;
  out["the loss"] = to_f32(executor.output(0));
  for (size_t i = 0; i < training.names.size(); ++i) {
    const std::string& parameter = training.names[i];
    out["the gradient of " + parameter] = to_f32(executor.output(kFirstGradient + i));
    for (const std::string& state : {parameter, parameter + ".m", parameter + ".v"}) {
      const Tensor& copy = out[state] = Tensor(states.at(state).type());
      TRY(device->read(copy.f32(), bindings.at(state).as<std::byte>(), copy.type().bytes()));
    }
  }
  return out;
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

class Emulated : public testing::TestWithParam<fs::path> {};

TEST(EmulatedCases, AreThere) {
  EXPECT_GE(tested_cases().size(), 8u);
}

TEST_P(Emulated, LogitsEqualTransformers) {
  expect_logits_of_case(GetParam(), device_of(GetParam()));
}

// What may be compared with one another: gradients, each of the two means; a parameter only with itself.
std::string kind_of(const std::string& name) {
  for (const char* mean : {".m", ".v"})
    if (name.ends_with(mean)) return mean;
  return name.starts_with("the gradient of ") ? "gradients" : name;
}

TEST_P(Emulated, TrainingStepEqualsTheCpus) {
  const auto model = load(GetParam());
  ASSERT_TRUE(model);
  const auto expected = train_on("cpu", *model), got = train_on(device_of(GetParam()), *model);
  ASSERT_TRUE(expected) << expected.error().to_string();
  ASSERT_TRUE(got) << got.error().to_string();
  ASSERT_GT(expected->size(), 4u);
  // Some gradients are zero but for rounding (of a scale before a norm, of the router of one expert), so that no device
  // agrees with another: those, and their means, are compared with the others.
  std::map<std::string, double> largest;  // by kind
  for (const auto& [name, tensor] : *expected)
    largest[kind_of(name)] = std::max(largest[kind_of(name)], largest_of(tensor));
  for (const auto& [name, tensor] : *expected)
    EXPECT_LE(largest_difference(got->at(name), tensor),
              1e-4 * std::max(largest_of(tensor), 1e-2 * largest.at(kind_of(name))))
        << name;
}

INSTANTIATE_TEST_SUITE_P(Cases, Emulated, testing::ValuesIn(tested_cases()),
                         [](const testing::TestParamInfo<fs::path>& info) { return case_name(info.param); });

}  // namespace
}  // namespace hearth::golden
