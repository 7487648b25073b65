// Runs the training graph: loss and gradients of a step, and the loss alone for evaluation.
#pragma once

#include <memory>
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
};

class Stepper {
 public:
  // `model` must outlive it and stay where it is. resource_exhausted when there is no room for activations.
  static Result<Stepper> create(const ModelInTraining& model, const StepperOptions& options, CpuBackend& device);
  Stepper(Stepper&&) noexcept;
  ~Stepper();

  // One micro-batch. Every learned target weighs `weight`; a step's weights add up to 1 over its micro-batches.
  // `first` starts a step: gradients begin at zero. Returns this micro-batch's part of the step's loss.
  Result<double> forward_backward(const Batch& batch, double weight, bool first);
  Result<double> forward(const Batch& batch, double weight);  // the loss alone

  // Of the step so far, one per trainable in order; valid until the next call of anything here.
  std::span<const std::span<const float>> gradients() const;
  uint64_t memory_bytes() const;            // that running will touch: the arena, and gradients kept over micro-batches
  double flops() const;                     // of one forward_backward, by the ops' own cost rules
  Result<std::vector<OpTiming>> profile();  // runs the last batch again with clocks

 private:
  struct State;
  explicit Stepper(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The plan that a Stepper would run, without running it: for estimates.
struct TrainingPlan {
  Plan plan;
  std::vector<size_t> gradient_outputs;  // output index by trained tensor
  Graph forward;                         // loss only
};
// `trained`: names of the parameters that learn.
Result<TrainingPlan> plan_training(const ModelConfig& config, const DtypeOf& dtype_of, const LoraConfig& lora,
                                   std::span<const std::string> trained, int n_tokens, bool recompute,
                                   const Backend& device);

}  // namespace hearth::train
