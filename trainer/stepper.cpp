// See stepper.h.
#include "trainer/stepper.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace hearth::train {

struct Stepper::State {
  Optimizer optimizer;
  std::unique_ptr<Arena> arena;
  std::vector<PlacedTensor> sums;  // of gradients, by trainable, and of losses; empty when a step is one micro-batch
  Executor micro, evaluation;
  std::optional<Executor> update;

  Result<double> run_micro(const Batch& batch, double weight, bool is_first, const Rates& rates);
  Result<double> finish_step(const Rates& rates);
};

namespace {

constexpr size_t kFirstGradient = 2;  // of the outputs of a whole step: after loss and norm

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

// Sums of gradients and of losses over the micro-batches of a step, bound by the names that the graphs have for them.
Result<std::vector<PlacedTensor>> make_sums(const ModelInTraining& model, Backend& device, Bindings& bindings) {
  std::vector<PlacedTensor> out;
  const auto add = [&](const std::string& name, const TensorType& type) -> Result<void> {
    TRY(out.emplace_back(Tensor(type)).move_to(device));
    bindings[name] = out.back().view();
    return {};
  };
  for (const Trainable& t : model.trainables) TRY(add(t.name + ".grad", t.weight.type()));
  TRY(add("loss.sum", {Dtype::f32, {1}}));
  return out;
}

}  // namespace

Optimizer optimizer_of(const RecipeOptimizer& r) {
  return {r.beta1, r.beta2, r.eps, r.weight_decay, r.grad_clip};
}

Result<TrainingPlan> plan_training(const ModelConfig& config, const DtypeOf& dtype_of, const LoraConfig& lora,
                                   std::span<const Trained> trained, const StepperOptions& options,
                                   const Backend& device) {
  TrainingGraph training = TRY(build_training_graph(config, dtype_of, options.n_tokens, lora, device.activations()));
  std::vector<Value> wrt;
  for (const Trained& t : trained) {
    const Value v = training.graph.find(t.parameter);
    if (!v) return error(Code::internal, "the training graph has no parameter {}", t.parameter);
    wrt.push_back(v);
  }
  Graph backward = TRY(differentiate(training.graph, training.loss, wrt)).graph;
  if (options.recompute) backward = TRY(recompute(backward, training.n_forward_nodes, training.layer_inputs));
  backward = TRY(prune(backward));
  std::vector<Gradient> gradients;
  const size_t first = backward.outputs().size() - wrt.size();
  for (size_t i = 0; i < trained.size(); ++i)
    gradients.push_back({trained[i].parameter, backward.outputs()[first + i], trained[i].decays});
  TrainingPlan out;
  out.forward = std::move(training.graph);
  if (!options.accumulates) {
    out.micro = TRY(make_plan(TRY(optimize(backward, gradients, options.optimizer)), device));
    return out;
  }
  out.micro = TRY(make_plan(TRY(accumulate_gradients(backward, gradients)), device));
  out.update = TRY(make_plan(TRY(optimize_accumulated(backward, gradients, options.optimizer)), device));
  return out;
}

Result<Stepper> Stepper::create(ModelInTraining& model, const StepperOptions& options, Backend& device) {
  std::vector<Trained> trained;
  for (const Trainable& t : model.trainables) trained.push_back({t.name, t.decays});
  TrainingPlan plan = TRY(plan_training(model.config, model.dtype_of(), model.lora, trained, options, device));
  Plan evaluation = TRY(make_plan(std::move(plan.forward), device));
  Bindings bindings = model.bindings();
  std::vector<PlacedTensor> sums;
  if (options.accumulates) sums = TRY(make_sums(model, device, bindings));
  auto arena = std::make_unique<Arena>(device);
  TRY(arena->ensure(
      std::max({plan.micro.arena_bytes, evaluation.arena_bytes, plan.update ? plan.update->arena_bytes : 0})));
  Executor micro = TRY(Executor::create(std::move(plan.micro), *arena, bindings, kFirstGradient));
  Executor eval = TRY(Executor::create(std::move(evaluation), *arena, bindings));
  std::optional<Executor> update;
  if (plan.update) update = TRY(Executor::create(std::move(*plan.update), *arena, bindings));
  return Stepper(std::make_unique<State>(State{options.optimizer, std::move(arena), std::move(sums), std::move(micro),
                                               std::move(eval), std::move(update)}));
}

Stepper::Stepper(std::unique_ptr<State> state) : state_(std::move(state)) {}
Stepper::Stepper(Stepper&&) noexcept = default;
Stepper& Stepper::operator=(Stepper&&) noexcept = default;
Stepper::~Stepper() = default;

// This micro-batch's part of the step's loss.
Result<double> Stepper::State::run_micro(const Batch& batch, double weight, bool is_first, const Rates& rates) {
  fill_inputs(micro, batch, weight);
  *micro.input("dloss").f32() = 1;
  if (update)
    *micro.input("keep").f32() = is_first ? 0.0f : 1.0f;
  else
    std::copy(rates.begin(), rates.end(), micro.input("rates").f32());
  TRY(micro.run());
  return static_cast<double>(*micro.output(0).f32());
}

// The norm of the step's gradients.
Result<double> Stepper::State::finish_step(const Rates& rates) {
  if (!update) return static_cast<double>(*micro.output(1).f32());
  std::copy(rates.begin(), rates.end(), update->input("rates").f32());
  TRY(update->run());
  return static_cast<double>(*update->output(0).f32());
}

Result<StepOutcome> Stepper::step(std::span<const Batch> micro_batches, double learning_rate, int64_t n) {
  State& s = *state_;
  if (micro_batches.empty() || (micro_batches.size() > 1 && !s.update))
    return error(Code::internal, "a step of {} micro-batches, by a stepper for {}", micro_batches.size(),
                 s.update ? "several" : "one");
  StepOutcome out;
  for (const Batch& batch : micro_batches) {
    out.n_learned += batch.n_learned;
    out.n_tokens += batch.n_tokens;
  }
  const double weight = 1.0 / static_cast<double>(std::max<int64_t>(1, out.n_learned));
  const Rates rates = rates_of(s.optimizer, learning_rate, n);
  for (size_t i = 0; i < micro_batches.size(); ++i)
    out.loss += TRY(s.run_micro(micro_batches[i], weight, i == 0, rates));
  out.grad_norm = TRY(s.finish_step(rates));
  out.is_finite = std::isfinite(out.loss) && std::isfinite(out.grad_norm);
  return out;
}

Result<double> Stepper::forward(const Batch& batch, double weight) {
  fill_inputs(state_->evaluation, batch, weight);
  TRY(state_->evaluation.run());
  return state_->evaluation.output(0).f32()[0];
}

Result<std::vector<HostView>> Stepper::gradients() const {
  std::vector<HostView> out;
  const State& s = *state_;
  for (size_t i = 0; s.update && i + 1 < s.sums.size(); ++i) out.push_back(TRY(s.sums[i].read()));
  for (size_t i = kFirstGradient; !s.update && i < s.micro.plan().graph.outputs().size(); ++i)
    out.push_back(TRY(s.micro.read_output(i)));
  return out;
}

uint64_t Stepper::memory_bytes() const {
  int64_t bytes = state_->arena->bytes();
  for (const PlacedTensor& sum : state_->sums) bytes += sum.type().bytes();
  return static_cast<uint64_t>(bytes);
}
double Stepper::flops() const {
  return state_->micro.plan().cost.flops;
}
Result<std::vector<OpTiming>> Stepper::profile() {
  return state_->micro.profile();
}

}  // namespace hearth::train
