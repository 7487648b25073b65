// Multi-head latent attention: keys and values of all heads are matrices times one latent row c (kv_rank numbers)
// beside one rotated row that all heads share. q_h · (Wk_h c) = (Wk_hᵀ q_h) · c, so queries are brought to the latent
// space instead, and it is plain attention with one key head (c, k_rope) whose value is c: that, and not the keys of
// every head, is cached. DeepSeek-V2 (2024), section 2.1. The graph is ModelBuilder::latent_attention.
#pragma once

#include "runtime/architectures/parameter_table.h"

namespace hearth {

// "wq_a", "q_a_norm", "wq_b" (or "wq"), "w_kv_a", "w_k_rope", "kv_a_norm", "w_k_b", "w_v_b", "wo".
void add_latent_attention(ParameterTable& table, const ModelConfig& config);

}  // namespace hearth
