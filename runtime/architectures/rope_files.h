// Rotary positions in files: Hugging Face's rope_parameters (or rope_theta and rope_scaling), and GGUF's rope.* keys with
// their tables of divisors.
#pragma once

#include "runtime/architectures/config_source.h"
#include "runtime/architectures/model_config.h"

namespace hearth {

// `section`: the object that holds the parameters, "rope_parameters" or "rope_parameters.full_attention"; empty: either
// rope_parameters or the older spelling beside the other keys. Needs config.max_seq_len and head_dim; config.rope.theta
// is the default.
Result<RopeConfig> read_rope_hf(const ConfigSource& source, const ModelConfig& config, std::string_view section = {});
// Both spellings, so that older readers see the same model; with a section, just that.
void write_rope_hf(const RopeConfig& rope, const ModelConfig& config, ConfigSink& sink, std::string_view section = {});

Result<RopeConfig> read_rope_gguf(const ConfigSource& source, const ModelConfig& config);
void write_rope_gguf(const RopeConfig& rope, const ModelConfig& config, ConfigSink& sink);

}  // namespace hearth
