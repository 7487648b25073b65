// See stepper.h.
#include "trainer/stepper.h"

#include <algorithm>
#include <cstring>

#include "runtime/graph/rewrites.h"

namespace hearth::train {

struct Stepper::State {
  CpuBackend& device;
  std::unique_ptr<Arena> arena;
  Executor training, evaluation;
  std::vector<size_t> gradient_outputs;
  std::vector<Tensor> sums;  // gradients over micro-batches; empty when a step is one micro-batch
  std::vector<std::span<const float>> gradients;
};

namespace {

void fill_inputs(Executor& executor, const Batch& batch, double weight) {
  const auto copy = [&](const char* name, const std::vector<int32_t>& from) {
    std::memcpy(executor.input(name).data, from.data(), from.size() * sizeof(int32_t));
  };
  copy("tokens", batch.tokens);
  copy("positions", batch.positions);
  copy("segment_begin", batch.segment_begin);
  copy("targets", batch.targets);
  float* weights = executor.input("loss_weights").f32();
  for (size_t i = 0; i < batch.targets.size(); ++i)
    weights[i] = batch.targets[i] == -1 ? 0.0f : static_cast<float>(weight);
}

std::span<const float> floats(const TensorView& view) {
  return {view.f32(), static_cast<size_t>(view.shape().n_elements())};
}

}  // namespace

Result<TrainingPlan> plan_training(const ModelConfig& config, const DtypeOf& dtype_of, const LoraConfig& lora,
                                   std::span<const std::string> trained, int n_tokens, bool recompute_activations,
                                   const Backend& device) {
  TrainingGraph training = TRY(build_training_graph(config, dtype_of, n_tokens, lora));
  std::vector<Value> wrt;
  for (const std::string& name : trained) {
    const Value v = training.graph.find(name);
    if (!v) return error(Code::internal, "the training graph has no parameter {}", name);
    wrt.push_back(v);
  }
  Differentiated d = TRY(differentiate(training.graph, training.loss, wrt));
  TrainingPlan out;
  size_t at = training.graph.outputs().size();
  for (size_t i = 0; i < wrt.size(); ++i) {
    if (!d.grads[i]) return error(Code::internal, "no gradient flows to {}", trained[i]);
    out.gradient_outputs.push_back(at++);
  }
  if (recompute_activations) d.graph = TRY(recompute(d.graph, training.n_forward_nodes, training.layer_inputs));
  d.graph = TRY(prune(d.graph));
  out.forward = std::move(training.graph);
  out.plan = TRY(make_plan(std::move(d.graph), device));
  return out;
}

Result<Stepper> Stepper::create(const ModelInTraining& model, const StepperOptions& options, CpuBackend& device) {
  std::vector<std::string> trained;
  for (const Trainable& t : model.trainables) trained.push_back(t.name);
  TrainingPlan training = TRY(
      plan_training(model.config, model.dtype_of(), model.lora, trained, options.n_tokens, options.recompute, device));
  Plan evaluation = TRY(make_plan(std::move(training.forward), device));
  auto arena = std::make_unique<Arena>(device);
  TRY(arena->ensure(std::max(training.plan.arena_bytes, evaluation.arena_bytes)));
  const Bindings bindings = model.bindings();
  Executor train = TRY(Executor::create(std::move(training.plan), *arena, bindings));
  Executor eval = TRY(Executor::create(std::move(evaluation), *arena, bindings));
  auto state = std::make_unique<State>(
      State{device, std::move(arena), std::move(train), std::move(eval), std::move(training.gradient_outputs), {}, {}});
  for (const Trainable& t : model.trainables) {
    if (options.accumulates) state->sums.emplace_back(t.weight.type());
  }
  return Stepper(std::move(state));
}

Stepper::Stepper(std::unique_ptr<State> state) : state_(std::move(state)) {}
Stepper::Stepper(Stepper&&) noexcept = default;
Stepper::~Stepper() = default;

Result<double> Stepper::forward_backward(const Batch& batch, double weight, bool first) {
  State& s = *state_;
  fill_inputs(s.training, batch, weight);
  s.training.input("dloss").f32()[0] = 1;
  TRY(s.training.run());
  const double loss = s.training.output(0).f32()[0];
  s.gradients.clear();
  for (size_t output : s.gradient_outputs) s.gradients.push_back(floats(s.training.output(output)));
  if (s.sums.empty()) return loss;
  std::vector<std::span<float>> sums;
  for (const Tensor& sum : s.sums) sums.emplace_back(sum.f32(), static_cast<size_t>(sum.type().shape.n_elements()));
  if (first)
    for (std::span<float> sum : sums) std::fill(sum.begin(), sum.end(), 0.0f);
  accumulate(s.device.team(), sums, s.gradients);
  s.gradients.assign(sums.begin(), sums.end());
  return loss;
}

Result<double> Stepper::forward(const Batch& batch, double weight) {
  fill_inputs(state_->evaluation, batch, weight);
  TRY(state_->evaluation.run());
  return state_->evaluation.output(0).f32()[0];
}

std::span<const std::span<const float>> Stepper::gradients() const {
  return state_->gradients;
}
uint64_t Stepper::memory_bytes() const {
  int64_t bytes = state_->arena->bytes();
  for (const Tensor& sum : state_->sums) bytes += sum.type().bytes();
  return static_cast<uint64_t>(bytes);
}
double Stepper::flops() const {
  return state_->training.plan().cost.flops;
}
Result<std::vector<OpTiming>> Stepper::profile() {
  return state_->training.profile();
}

}  // namespace hearth::train
