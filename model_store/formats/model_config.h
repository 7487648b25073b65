// Model configurations in files ↔ the runtime's ModelConfig: Hugging Face config.json and GGUF metadata.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/architectures/model_config.h"

namespace hearth {

class GgufFile;

// How the model's makers suggest to sample from it; absent: they did not say.
struct GenerationDefaults {
  std::vector<int32_t> eos_ids;  // any of these ends an answer; sorted
  std::optional<double> temperature, top_p, min_p, repetition_penalty;
  std::optional<int> top_k;
  std::vector<std::string> ignored;  // values that mean nothing, in sentences for a log
};

// config.json. unimplemented for a family or a feature that this build lacks; every number is checked.
Result<ModelConfig> config_from_hf(std::string_view config_json);
// What is stated outside the family's own numbers: eos ids in config.json and in generation_config.json (may be empty
// text).
Result<GenerationDefaults> generation_from_hf(std::string_view config_json, std::string_view generation_config_json);

Result<ModelConfig> config_from_gguf(const GgufFile& file);
Result<GenerationDefaults> generation_from_gguf(const GgufFile& file);

// The reverse. `dtype_name`: "float32", "bfloat16" or "float16". Ids absent are left out.
std::string config_to_hf(const ModelConfig& config, std::string_view dtype_name, std::optional<int32_t> bos_id,
                         const std::vector<int32_t>& eos_ids);
std::string generation_to_hf(const GenerationDefaults& generation, std::optional<int32_t> bos_id);

}  // namespace hearth
