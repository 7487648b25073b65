// The fit estimate. Only the model's head is read, not its weights.
#include "appliance/box/fit.h"

#include "appliance/box/memory.h"
#include "base/files.h"
#include "inference/fit.h"
#include "model_store/formats/gguf.h"
#include "model_store/formats/model_config.h"

namespace hearth {

constexpr uint64_t kMaxConfigBytes = 1 << 20;

static Result<ModelConfig> read_config(const std::filesystem::path& path) {
  if (path.extension() == ".gguf") return config_from_gguf(TRY(GgufFile::open(path)));
  return config_from_hf(TRY(read_file(path / "config.json", kMaxConfigBytes)));
}

static std::string_view verdict_name(MemoryFit::Verdict verdict) {
  switch (verdict) {
    case MemoryFit::Verdict::fits:
      return "fits";
    case MemoryFit::Verdict::tight:
      return "tight";
    case MemoryFit::Verdict::too_large:
      return "too_large";
  }
  return "too_large";
}

Result<api::Fit> predict_fit(const store::ModelRecord& model, const std::filesystem::path& path,
                             double memory_read_bytes_per_s) {
  ModelConfig config = TRY_WITH(read_config(path), "while reading the configuration of {}", model.name);
  MemoryFit fit = TRY(memory_fit(config, model.size_bytes, {}, available_memory_bytes(), memory_read_bytes_per_s));
  return api::Fit{.model = model.name,
                  .verdict = std::string(verdict_name(fit.verdict)),
                  .explanation = fit.explanation,
                  .weights_bytes = fit.weights_bytes,
                  .kv_bytes = fit.kv_bytes,
                  .total_bytes = fit.total_bytes,
                  .available_bytes = fit.available_bytes,
                  .decode_tokens_per_s = fit.decode_tokens_per_s};
}

}  // namespace hearth
