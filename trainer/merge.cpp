// The weights that a result is written from: low-rank updates added to the frozen base, one weight at a time. See
// model.h.
#include "trainer/model.h"

namespace hearth::train {

void ModelInTraining::put_weights(ModelToSave& out, const TrainedWeights& trained) const {
  out.weights = lora.rank == 0 ? trained.by_role : frozen;
  if (lora.rank == 0) return;
  for (const auto& [name, a] : trained.by_role) {
    if (!name.ends_with(".lora_a")) continue;
    const std::string role = name.substr(0, name.size() - 7);
    const LowRankUpdate update{
        .a = a, .b = trained.by_role.at(role + ".lora_b"), .scale = lora.alpha / static_cast<float>(lora.rank)};
    out.made[role] = [weight = frozen.at(role), update] { return merged_weight(weight, {update}, Dtype::f32); };
  }
}

}  // namespace hearth::train
