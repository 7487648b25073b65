// Rotary positions in files: Hugging Face's rope_parameters (or rope_theta and rope_scaling), and GGUF's rope.* keys
// with their tables of divisors.
#pragma once

#include <initializer_list>

#include "runtime/architectures/config_source.h"
#include "runtime/architectures/model_config.h"

namespace hearth {

// Where config.json keeps them.
struct RopePlaces {
  std::vector<std::string> blocks;            // objects; the first that has a key is asked
  std::string_view theta_key = "rope_theta";  // beside the model's own keys, where no block says it; empty: nowhere
  bool is_nested = false;                     // one object for each kind of layer
};
// rope_scaling, as older files call it, wins over rope_parameters. Needs config.max_seq_len and head_dim.
Result<RopeConfig> read_rope_hf(const ConfigSource& source, const ModelConfig& config);
Result<RopeConfig> read_rope_hf(const ConfigSource& source, const ModelConfig& config, const RopePlaces& places);
// Refused: scaling that the family's own formula does not know.
Result<void> allow_scaling(const RopeConfig& rope, std::initializer_list<RopeConfig::Scaling> allowed);
// Whether an object with members stands there; what is no object is refused.
Result<bool> has_block(const ConfigSource& source, std::string_view key);
// Both spellings, so that older readers see the same model; with a section, just that.
void write_rope_hf(const RopeConfig& rope, const ModelConfig& config, ConfigSink& sink, std::string_view section = {});

Result<RopeConfig> read_rope_gguf(const ConfigSource& source, const ModelConfig& config);
void write_rope_gguf(const RopeConfig& rope, const ModelConfig& config, ConfigSink& sink);

}  // namespace hearth
