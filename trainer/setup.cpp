// See setup.h.
#include "trainer/setup.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace hearth::train {
namespace {

constexpr int kTokens = 16;
constexpr int kLayers = 8;          // whole patterns of layers, and not a second copy of a large model in memory
constexpr double kRate = 1e-3;      // of the first step; the second step's loss tells what it did
constexpr double kSmallest = 0.1;  // of all gradients: one that is shorter is measured by this
// Gradients of small models in bf16 differ by up to a quarter of their length (tests/golden/emulated_bf16_test.cpp),
// those of a wrong kernel by all of it.
constexpr double kTolerance = 0.5;

// The model cut to its first layers, with updates that begin anew.
struct Probe {
  Recipe recipe;
  Beginning base;
};

Result<Probe> probe_of(const Recipe& recipe, const Beginning& base) {
  Probe out{recipe, base};
  const LoraConfig lora = base.lora_of(recipe);
  out.recipe.method.rank = lora.rank, out.recipe.method.alpha = lora.alpha, out.recipe.method.targets = lora.targets;
  out.base.adapter.reset();
  if (base.config.n_layers <= kLayers) return out;
  out.base.config = base.config.with_layers(kLayers);
  out.base.parameters = TRY(find_architecture(out.base.config.family))->parameters(out.base.config);
  std::set<std::string> used;
  for (const ParameterSpec& spec : out.base.parameters) used.insert(spec.role);
  std::erase_if(out.base.weights, [&](const auto& weight) { return !used.contains(weight.first); });
  return out;
}

// Tokens spread over the vocabulary, each to be followed by the next.
Batch few_tokens(const ModelConfig& config) {
  Batch out;
  const auto token = [&](int t) {
    return static_cast<int32_t>(int64_t{config.vocab_size - 1} * (t % kTokens) / kTokens);
  };
  for (int t = 0; t < kTokens; ++t) {
    out.tokens.push_back(token(t));
    out.targets.push_back(token(t + 1));
    out.positions.push_back(t);
    out.segment_begin.push_back(0);
  }
  out.n_tokens = out.n_learned = kTokens;
  return out;
}

struct Trace {
  double losses[2] = {};
  std::vector<std::vector<float>> gradients;  // of the first step
};

Result<Trace> trace_of(const Probe& probe, Backend& device) {
  ModelInTraining model = TRY(make_model(probe.recipe, probe.base));
  TRY(model.place_on(device));
  Stepper stepper = TRY(Stepper::create(model, {.n_tokens = kTokens}, device));
  const Batch batch = few_tokens(model.config);
  Trace out;
  out.losses[0] = TRY(stepper.step({&batch, 1}, kRate, 1)).loss;
  for (const HostView& g : TRY(stepper.gradients()))
    out.gradients.emplace_back(g.view.f32(), g.view.f32() + g.view.shape().n_elements());
  out.losses[1] = TRY(stepper.step({&batch, 1}, kRate, 2)).loss;
  return out;
}

double length(const std::vector<float>& v) {
  double squares = 0;
  for (const float x : v) squares += static_cast<double>(x) * x;
  return std::sqrt(squares);
}

double difference_of(const Trace& got, const Trace& want) {
  double worst = 0, all = 0;
  for (const auto& g : want.gradients) all = std::hypot(all, length(g));
  const auto count = [&](double difference, double size) {
    worst = std::isfinite(difference) ? std::max(worst, difference / std::max(size, 1e-30)) : INFINITY;
  };
  for (size_t i = 0; i < 2; ++i) count(std::abs(got.losses[i] - want.losses[i]), std::abs(want.losses[i]));
  for (size_t i = 0; i < want.gradients.size(); ++i) {
    std::vector<float> difference = got.gradients[i];
    for (size_t k = 0; k < difference.size(); ++k) difference[k] -= want.gradients[i][k];
    count(length(difference), std::max(length(want.gradients[i]), kSmallest * all));
  }
  return worst;
}

Result<Setup> open_on(const std::string& name, const Recipe& recipe, const Beginning& base,
                      const StepperOptions& options) {
  Setup out;
  out.backend = TRY(open_for_training(name, recipe, base));
  out.model = std::make_unique<ModelInTraining>(TRY(make_model(recipe, base)));
  TRY(out.model->place_on(*out.backend));
  out.stepper.emplace(TRY(Stepper::create(*out.model, options, *out.backend)));
  return out;
}

}  // namespace

Result<double> difference_from_host(const Recipe& recipe, const Beginning& base, Backend& device) {
  const Probe probe = TRY(probe_of(recipe, base));
  const Trace got = TRY(trace_of(probe, device));
  const std::unique_ptr<CpuBackend> host = open_cpu(recipe.n_threads);
  return difference_of(got, TRY(trace_of(probe, *host)));
}

Result<std::unique_ptr<Backend>> open_for_training(const std::string& name, const Recipe& recipe,
                                                   const Beginning& base) {
  std::unique_ptr<Backend> device = TRY(open_device(name, recipe.n_threads));
  if (is_host_device(name)) return device;
  const double difference = TRY(difference_from_host(recipe, base, *device));
  if (difference <= kTolerance) return device;
  return error(Code::internal, "losses or gradients differ from the CPU's by {:.2g} of their size, {} is allowed",
               difference, kTolerance);
}

Result<Setup> open_setup(const Recipe& recipe, const Beginning& base, const StepperOptions& options) {
  Setup out;
  const Device device = TRY(choose_device(recipe.device, [&](const std::string& name) -> Result<void> {
    out = TRY(open_on(name, recipe, base, options));
    return {};
  }));
  out.device = device;
  return out;
}

}  // namespace hearth::train
