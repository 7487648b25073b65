// read_share: from the axes and kinds that the parameter table states.
#include "runtime/architectures/weight_traffic.h"

#include <algorithm>
#include <cmath>

namespace hearth {
namespace {

// One matrix or bias for each expert.
bool is_stack_of_experts(const ParameterSpec& spec, const ModelConfig& config) {
  return config.moe.n_experts > 0 && spec.shape.rank() > 1 && !spec.axes.empty() && spec.axes[0].name == "expert";
}

bool is_only_looked_up(const ParameterSpec& spec, const ModelConfig& config) {
  return spec.kind == ParameterKind::embedding && !(config.tied_embeddings && spec.role == "embed");
}

}  // namespace

double read_share(const ParameterSpec& spec, const ModelConfig& config, int n_tokens) {
  if (is_stack_of_experts(spec, config)) {
    const double chosen = static_cast<double>(config.moe.routing.n_chosen) / config.moe.n_experts;
    return n_tokens == 1 ? chosen : 1 - std::pow(1 - chosen, n_tokens);
  }
  if (is_only_looked_up(spec, config)) return std::min(1.0, n_tokens / static_cast<double>(spec.shape[0]));
  return 1;
}

Result<double> read_share(const ModelConfig& config, int n_tokens) {
  double all = 0, read = 0;
  for (const ParameterSpec& spec : TRY(find_architecture(config.family))->parameters(config)) {
    const auto n = static_cast<double>(spec.shape.n_elements());
    all += n;
    read += n * read_share(spec, config, n_tokens);
  }
  return all > 0 ? read / all : 1;
}

}  // namespace hearth
