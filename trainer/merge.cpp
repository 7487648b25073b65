// The weights that a result is written from: low-rank updates added to the frozen base. See model.h.
#include "model_store/formats/save.h"
#include "trainer/model.h"

namespace hearth::train {

Result<WeightsByRole> ModelInTraining::merged(std::map<std::string, Tensor, std::less<>>& storage) const {
  if (lora.rank == 0) return lora_weights();
  WeightsByRole out = frozen;
  const WeightsByRole updates = lora_weights();
  for (const auto& [name, a] : updates) {
    if (!name.ends_with(".lora_a")) continue;
    const std::string role = name.substr(0, name.size() - 7);
    Tensor& merged = storage[role] = TRY(merge_lora(frozen.at(role), a, updates.at(role + ".lora_b"), lora.alpha / static_cast<float>(lora.rank)));
    out[role] = merged.view();
  }
  return out;
}

}  // namespace hearth::train
