// The fit estimate. Only the model's head is read, not its weights.
#include "appliance/box/fit.h"

#include "inference/fit.h"
#include "model_store/formats/adapters/adapter.h"

namespace hearth {

// An adapter's own stay in memory beside the merged ones.
static uint64_t weights_bytes(const LoadedModel& heads, const store::ModelRecord& model,
                              const std::filesystem::path& path) {
  return weight_bytes(heads) + (is_adapter_folder(path) ? model.size_bytes : 0);
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
                             const FitQuestion& question) {
  const LoadedModel heads = TRY_WITH(check_weights(path), "while looking at {}", model.name);
  const StepOptions options{.max_seq_len = question.max_seq_len};
  const MemoryFit fit = TRY(memory_fit(heads.config, weights_bytes(heads, model, path), options,
                                       question.available_bytes, question.memory_read_bytes_per_s));
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
