// LoRA's targets, from the parameter table.
#include "runtime/architectures/lora.h"

#include <algorithm>

namespace hearth {

Result<std::vector<LowRank>> lora_updates(const ModelConfig& config, const Architecture& architecture,
                                          const LoraConfig& lora) {
  std::vector<LowRank> out;
  if (lora.rank <= 0) return out;
  for (const ParameterSpec& spec : architecture.parameters(config)) {
    const std::string last = spec.role.substr(spec.role.rfind('.') + 1);
    const bool is_named = std::find(lora.targets.begin(), lora.targets.end(), last) != lora.targets.end();
    if (is_named && spec.shape.rank() > 2)
      return error(Code::unimplemented,
                   "low-rank updates of \"{}\" are not supported: it is one matrix per expert or head; choose other "
                   "targets, such as wq, wk, wv and wo, or train all weights",
                   last);
    const bool is_matrix = spec.kind == ParameterKind::matrix && spec.shape.rank() == 2;
    if (is_matrix && spec.role.starts_with("layers.") && (is_named || lora.targets.empty()))
      out.push_back({spec.role, lora.rank, lora.alpha / static_cast<float>(lora.rank)});
  }
  return out;
}

}  // namespace hearth
