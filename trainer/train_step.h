// One optimizer step: micro-batches forward and backward, clipping, AdamW.
#pragma once

#include <span>

#include "trainer/stepper.h"

namespace hearth::train {

struct StepOutcome {
  double loss = 0;       // mean over all learned tokens of the step
  double grad_norm = 0;  // before clipping
  int64_t n_learned = 0, n_tokens = 0;
  bool is_finite = true;  // false: loss or gradients are not numbers, and nothing was updated
};

// `step` counts from 1. Every learned token of the step weighs the same, in whichever micro-batch it stands.
Result<StepOutcome> train_step(std::span<const Batch> micro_batches, ModelInTraining& model, Stepper& stepper,
                               Team& team, const RecipeOptimizer& optimizer, double learning_rate, int64_t step);

}  // namespace hearth::train
