// Every golden checkpoint on the emulated GPU: the CUDA kernels give the logits of the transformers library, and the
// gradients of the CPU. Each case has a seed of its own for the order of threads. AddressSanitizer makes it several
// times slower, and takes one case of each kind.
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

struct Training {
  Graph graph;
  std::vector<std::string> names;  // of the parameters whose gradients are outputs after the loss
};

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
  out.graph = TRY(differentiate(forward.graph, forward.loss, wrt)).graph;
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
}

// The loss and the gradients by name, of weights widened to f32.
Result<std::map<std::string, Tensor>> train_on(const std::string& name, const LoadedModel& model) {
  const std::unique_ptr<Backend> device = TRY(open_device(name, 2));
  Training training = TRY(training_of(model));
  std::map<std::string, Tensor> widened;
  Bindings host;
  for (const auto& [role, weight] : model.weights) host[role] = (widened[role] = to_f32(weight)).view();
  std::vector<Buffer> weights;
  const Bindings bindings = TRY(place_on(*device, host, weights));
  Arena arena(*device);
  Executor executor = TRY(Executor::create(TRY(make_plan(std::move(training.graph), *device)), arena, bindings));
  fill_inputs(executor, model.config.vocab_size);
  TRY(executor.run());
  std::map<std::string, Tensor> out;
  const size_t n_before = executor.plan().graph.outputs().size() - training.names.size();
  out["the loss"] = to_f32(executor.output(0));
  for (size_t i = 0; i < training.names.size(); ++i) out[training.names[i]] = to_f32(executor.output(n_before + i));
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

TEST_P(Emulated, GradientsEqualTheCpus) {
  const auto model = load(GetParam());
  ASSERT_TRUE(model);
  const auto expected = train_on("cpu", *model), got = train_on(device_of(GetParam()), *model);
  ASSERT_TRUE(expected) << expected.error().to_string();
  ASSERT_TRUE(got) << got.error().to_string();
  ASSERT_GT(expected->size(), 1u);
  // Some gradients are zero but for rounding (of a scale before a norm, of the router of one expert), so that no device
  // agrees with another: those are compared with the others.
  double largest = 0;
  for (const auto& [name, gradient] : *expected) largest = std::max(largest, largest_of(gradient));
  for (const auto& [name, gradient] : *expected)
    EXPECT_LE(largest_difference(got->at(name), gradient), 1e-4 * std::max(largest_of(gradient), 1e-3 * largest))
        << name;
}

INSTANTIATE_TEST_SUITE_P(Cases, Emulated, testing::ValuesIn(tested_cases()),
                         [](const testing::TestParamInfo<fs::path>& info) { return case_name(info.param); });

}  // namespace
}  // namespace hearth::golden
