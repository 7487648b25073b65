// See result.h.
#include "trainer/result.h"

#include "base/files.h"
#include "model_store/formats/save.h"
#include "trainer/parity.h"

namespace hearth::train {
namespace {

namespace fs = std::filesystem;
constexpr const char *kPending = "result.incoming", *kFinal = "result";
constexpr const char *kPendingGguf = "model-q8_0.incoming.gguf", *kFinalGguf = "model-q8_0.gguf";

Dtype folder_dtype(const Recipe& recipe, const LoadedModel& base) {
  if (recipe.output.dtype == "f32") return Dtype::f32;
  if (recipe.output.dtype == "f16") return Dtype::f16;
  if (recipe.output.dtype != "auto") return Dtype::bf16;
  const auto embed = base.weights.find("embed");
  return embed != base.weights.end() && embed->second.type.dtype == Dtype::f32 ? Dtype::f32 : Dtype::bf16;
}

Result<void> write_adapter(const fs::path& folder, const Recipe& recipe, const ModelInTraining& model) {
  TRY(make_folders(folder));
  LoraAdapter adapter;
  adapter.rank = model.lora.rank;
  adapter.alpha = model.lora.alpha;
  adapter.weights = model.lora_weights();
  adapter.base_model = recipe.model.init;
  return save_peft_adapter(folder, model.config, adapter);
}

Result<void> fsync_tree(const fs::path& folder) {
  std::error_code ec;
  for (fs::recursive_directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) TRY(fsync_path(it->path()));
  if (ec) return errno_error("list", folder, ec.value());
  return fsync_path(folder);
}

}  // namespace

Result<PendingResult> write_result(const fs::path& job, const Recipe& recipe, const LoadedModel& base, const ModelInTraining& model) {
  const fs::path folder = job / kPending;
  std::error_code ec;
  fs::remove_all(folder, ec);
  TRY(make_folders(folder));
  std::map<std::string, Tensor, std::less<>> storage;
  auto weights = TRY(model.merged(storage));
  ModelToSave to_save{model.config, std::move(weights), base.generation, base.path};
  const Dtype dtype = folder_dtype(recipe, base);
  TRY_WITH(save_hf_folder(folder, to_save, dtype), "while writing the result");
  if (model.lora.rank > 0) TRY_WITH(write_adapter(folder / "adapter", recipe, model), "while writing the adapter");
  if (recipe.output.dtype != "q8_0") return PendingResult(job, folder, parity_tolerance(dtype));
  TRY_WITH(save_gguf(job / kPendingGguf, to_save, Dtype::q8_0), "while writing the result");
  return PendingResult(job, job / kPendingGguf, parity_tolerance(Dtype::q8_0));
}

Result<fs::path> PendingResult::publish() {
  TRY(fsync_tree(job_ / kPending));
  std::error_code ec;
  if (fs::exists(job_ / kPendingGguf, ec)) {
    TRY(fsync_path(job_ / kPendingGguf));
    TRY(rename_durably(job_ / kPendingGguf, job_ / kFinalGguf));
  }
  fs::remove_all(job_ / kFinal, ec);
  TRY(rename_durably(job_ / kPending, job_ / kFinal));
  return job_ / kFinal;
}

}  // namespace hearth::train
