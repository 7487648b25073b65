// GGUF metadata → ModelConfig and GenerationDefaults. The keys themselves are the family's business.
#include <algorithm>

#include "model_store/formats/config_metadata.h"
#include "model_store/formats/model_config.h"
#include "runtime/architectures/architecture.h"

namespace hearth {

Result<ModelConfig> config_from_gguf(const GgufFile& file) {
  std::string name(TRY(file.string("general.architecture")));
  const GgufConfigSource source(file, name);
  const Architecture* architecture = TRY(find_gguf_architecture(name, source));
  ModelConfig config;
  config.family = std::string(architecture->family());
  TRY(architecture->read_gguf(source, config));
  TRY(validate(config));
  return config;
}

Result<GenerationDefaults> generation_from_gguf(const GgufFile& file) {
  GenerationDefaults out;
  for (const char* key :
       {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
    int64_t id = TRY(file.integer_or(key, -1));
    if (id >= 0 && id <= INT32_MAX) out.eos_ids.push_back(static_cast<int32_t>(id));
  }
  std::sort(out.eos_ids.begin(), out.eos_ids.end());
  out.eos_ids.erase(std::unique(out.eos_ids.begin(), out.eos_ids.end()), out.eos_ids.end());
  return out;
}

}  // namespace hearth
