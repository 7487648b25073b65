// adapter_config.json of PEFT: which of its many options are set, and what the scale of a module is.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model_store/tokenizers/regex.h"

namespace hearth {

struct PeftConfig {
  std::string base_model;
  int rank = 0;
  double alpha = 0;
  bool is_rank_stabilised = false, is_dora = false;
  std::vector<std::string> parameters;  // ends of names of tensors that are changed without being a module's weight
  bool swaps_experts = false;           // written by a PEFT that is known to take tensors of experts as [E, out, in]
  // The first pattern that matches the end of a module's path wins.
  std::vector<std::pair<Regex, int>> ranks;
  std::vector<std::pair<Regex, double>> alphas;

  bool targets_parameter(std::string_view name) const;
  Result<int> rank_of(std::string_view module) const;
  Result<float> scale_of(std::string_view module) const;
};

// unimplemented names the kind of adapter, or the option, that is not supported, and says what to do.
Result<PeftConfig> read_peft_config(const std::filesystem::path& file);

}  // namespace hearth
