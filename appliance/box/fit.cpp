// The fit estimate. Only the model's head is read, not its weights.
#include "appliance/box/fit.h"

#include <algorithm>

#include "inference/fit.h"
#include "model_store/formats/adapters/adapter.h"
#include "model_store/formats/inspect.h"

namespace hearth {

// An adapter's weights are its base's, merged: floats as large as before, quantised ones at most in q8_0.
static Result<uint64_t> weights_bytes(const store::ModelRecord& model, const std::filesystem::path& path) {
  if (!is_adapter_folder(path)) return model.size_bytes;
  const ModelFacts base = TRY(inspect_model(TRY(base_of_adapter(path))));
  const bool is_float = base.dtype == "f32" || base.dtype == "f16" || base.dtype == "bf16";
  const uint64_t merged = is_float ? 0 : base.n_params / 32 * 34;
  return std::max(base.size_bytes, merged) + model.size_bytes;
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
  const ModelConfig config = TRY_WITH(load_config(path), "while reading the configuration of {}", model.name);
  const StepOptions options{.max_seq_len = question.max_seq_len};
  const MemoryFit fit = TRY(memory_fit(config, TRY(weights_bytes(model, path)), options, question.available_bytes,
                                       question.memory_read_bytes_per_s));
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
