// See train_step.h.
#include "trainer/train_step.h"

#include <algorithm>
#include <cmath>

namespace hearth::train {

Result<StepOutcome> train_step(std::span<const Batch> micro_batches, ModelInTraining& model, Stepper& stepper,
                               Team& team, const RecipeOptimizer& optimizer, double learning_rate, int64_t step) {
  StepOutcome out;
  for (const Batch& batch : micro_batches) {
    out.n_learned += batch.n_learned;
    out.n_tokens += batch.n_tokens;
  }
  const double weight = 1.0 / static_cast<double>(std::max<int64_t>(1, out.n_learned));
  for (size_t i = 0; i < micro_batches.size(); ++i)
    out.loss += TRY(stepper.forward_backward(micro_batches[i], weight, i == 0));
  out.grad_norm = global_norm(team, stepper.gradients());
  out.is_finite = std::isfinite(out.loss) && std::isfinite(out.grad_norm);
  if (!out.is_finite) return out;
  const bool clips = optimizer.grad_clip > 0 && out.grad_norm > optimizer.grad_clip;
  const AdamWOptions options{learning_rate, optimizer.beta1, optimizer.beta2, optimizer.eps, optimizer.weight_decay};
  adamw_step(team, model.trainables, stepper.gradients(), clips ? optimizer.grad_clip / out.grad_norm : 1, step,
             options);
  return out;
}

}  // namespace hearth::train
