// Runs a step's programs: micro-batches forward and backward, and the optimizer, all of it graphs over the model's
// states; and the loss alone for evaluation.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "runtime/exec/devices.h"
#include "trainer/data/loader.h"
#include "trainer/model.h"

namespace hearth::train {

struct StepperOptions {
  int n_tokens = 0;  // of one micro-batch: rows * max_seq_len
  bool recompute = false;
  bool accumulates = false;  // more than one micro-batch a step
  Optimizer optimizer;
};
Optimizer optimizer_of(const RecipeOptimizer& recipe);

struct StepOutcome {
  double loss = 0;       // mean over all learned tokens of the step
  double grad_norm = 0;  // before clipping
  int64_t n_learned = 0, n_tokens = 0;
  bool is_finite = true;  // false: loss or gradients are not numbers, and nothing was updated
};

class Stepper {
 public:
  // `model` was placed on `device`; it must outlive this and stay where it is. resource_exhausted when there is no room
  // for activations.
  static Result<Stepper> create(ModelInTraining& model, const StepperOptions& options, Backend& device);
  Stepper(Stepper&&) noexcept;
  Stepper& operator=(Stepper&&) noexcept;
  ~Stepper();

  // One optimizer step; `n` counts from 1. Every learned token weighs the same, in whichever micro-batch it stands.
  Result<StepOutcome> step(std::span<const Batch> micro_batches, double learning_rate, int64_t n);
  Result<double> forward(const Batch& batch, double weight);  // the loss alone, every learned token weighing `weight`

  // Of the last step, one per trainable in order; valid until the next call of anything here.
  Result<std::vector<HostView>> gradients() const;
  uint64_t memory_bytes() const;            // that running will touch: the arena, and gradients kept over micro-batches
  double flops() const;                     // of one micro-batch, by the ops' own cost rules
  Result<std::vector<OpTiming>> profile();  // runs the last micro-batch again with clocks

 private:
  struct State;
  explicit Stepper(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The plans that a Stepper would run, without running them: for estimates.
struct TrainingPlan {
  Plan micro;                  // the whole step where there is no update
  std::optional<Plan> update;  // where a step has several micro-batches
  Graph forward;               // loss only
};
struct Trained {
  std::string parameter;
  bool decays = false;
};
Result<TrainingPlan> plan_training(const ModelConfig& config, const DtypeOf& dtype_of, const LoraConfig& lora,
                                   std::span<const Trained> trained, const StepperOptions& options,
                                   const Backend& device);

}  // namespace hearth::train
