// What families with experts share: the rows of their parameter tables, and the keys of GGUF files. The graph is
// ModelBuilder::experts.
#pragma once

#include "runtime/architectures/config_source.h"
#include "runtime/architectures/parameter_table.h"

namespace hearth {

// Modules in Hugging Face files; "{}" is the number of an expert.
struct ExpertNames {
  std::string router = "mlp.gate", gate = "mlp.experts.{}.gate_proj", up = "mlp.experts.{}.up_proj",
              down = "mlp.experts.{}.down_proj";
  std::string correction;  // of the choice; empty: none
  std::string shared = "mlp.shared_experts.";
};
// "router" [E, C], "router_correction" [E], "experts_gate" and "experts_up" [E, F, C], "experts_down" [E, C, F], and
// where the configuration has a shared expert "shared_gate", "shared_up", "shared_down".
void add_experts(ParameterTable& table, const ModelConfig& config, const ExpertNames& names);

// expert_count, expert_used_count, expert_feed_forward_length, leading_dense_block_count, shared experts, and how the
// router's weights are scaled. `routing` keeps what the file does not say.
Result<void> read_experts_gguf(const ConfigSource& source, ModelConfig& config);
void write_experts_gguf(const ModelConfig& config, ConfigSink& sink);

// Whether a tensor belongs to a layer behind the model's own: such layers predict further tokens, and are not run here.
bool is_beyond_layers(std::string_view tensor, const ModelConfig& config);

// Which of n_layers layers have experts: all but the first `n_dense`.
std::vector<bool> first_layers_dense(int n_layers, int n_dense);
// The other way: how many layers at the beginning have none.
int n_dense_layers(const ModelConfig& config);

}  // namespace hearth
