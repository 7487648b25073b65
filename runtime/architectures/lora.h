// Which matrices of a model LoRA updates: the choice that the rewrite `adapters` is given.
#pragma once

#include "runtime/architectures/architecture.h"
#include "runtime/graph/rewrites.h"

namespace hearth {

struct LoraConfig {
  int rank = 0;                      // 0: none
  float alpha = 0;                   // the update is scaled by alpha / rank
  std::vector<std::string> targets;  // last parts of roles: "wq", "wv", "w_gate", ...; empty: every matrix in layers
};

// In the order of the family's table. Stacks of matrices (one per expert or head) are passed over, and refused where
// they are asked for by name.
Result<std::vector<LowRank>> lora_updates(const ModelConfig& config, const Architecture& architecture,
                                          const LoraConfig& lora);

}  // namespace hearth
