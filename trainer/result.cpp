// See result.h.
#include "trainer/result.h"

#include <algorithm>

#include "base/files.h"
#include "model_store/formats/save.h"
#include "model_store/tokenizers/tokenizer_export.h"
#include "trainer/parity.h"

namespace hearth::train {
namespace {

namespace fs = std::filesystem;
constexpr const char *kPending = "result.incoming", *kFinal = "result";
constexpr const char *kAdapter = "adapter", *kGguf = "model-q8_0.gguf";

bool is_gguf(const Recipe& recipe) {
  return recipe.output.dtype == "q8_0";
}
bool has_model(const Recipe& recipe) {
  return recipe.method.type != "lora" || recipe.output.merge;
}

Dtype folder_dtype(const Recipe& recipe, const LoadedModel& base) {
  if (recipe.output.dtype == "f32") return Dtype::f32;
  if (recipe.output.dtype == "f16") return Dtype::f16;
  if (recipe.output.dtype != "auto") return Dtype::bf16;
  const auto embed = base.weights.find("embed");
  return embed != base.weights.end() && embed->second.type.dtype == Dtype::f32 ? Dtype::f32 : Dtype::bf16;
}

// The tolerance for what serving makes of the adapter: the base with merged weights.
double adapter_tolerance(const LoadedModel& base) {
  double out = 0;
  for (const auto& [role, view] : base.weights) out = std::max(out, parity_tolerance(merged_dtype(view.type)));
  return out;
}

Result<PendingResult::Served> write_adapter(const fs::path& folder, const Recipe& recipe, const Beginning& base,
                                            const ModelInTraining& model, const TrainedWeights& trained) {
  TRY(make_folders(folder));
  LoraAdapter adapter;
  adapter.rank = model.lora.rank;
  adapter.alpha = model.lora.alpha;
  adapter.weights = trained.by_role;
  adapter.base_model = base.adapter ? base.adapter->base_model : recipe.model.init;
  TRY(save_peft_adapter(folder, model.config, adapter));
  std::error_code ec;
  TRY(link_base(folder, fs::absolute(base.path, ec)));
  return PendingResult::Served{folder, adapter_tolerance(base)};
}

std::string name_of(const fs::path& job, const Recipe& recipe) {
  return recipe.output.name.empty() ? job.filename().string() : recipe.output.name;
}

Result<PendingResult::Served> write_model(const fs::path& folder, const Recipe& recipe, const Beginning& base,
                                          const ModelInTraining& model, const TrainedWeights& trained) {
  ModelToSave to_save{.config = model.config,
                      .generation = base.generation,
                      .tokenizer_from = base.path,
                      .name = name_of(folder.parent_path(), recipe)};
  model.put_weights(to_save, trained);
  if (is_gguf(recipe)) {
    TRY(save_gguf(folder / kGguf, to_save, Dtype::q8_0));
    return PendingResult::Served{folder / kGguf, parity_tolerance(Dtype::q8_0)};
  }
  const Dtype dtype = folder_dtype(recipe, base);
  TRY(save_hf_folder(folder, to_save, dtype));
  return PendingResult::Served{folder, parity_tolerance(dtype)};
}

Result<void> fsync_tree(const fs::path& folder) {
  std::error_code ec;
  for (fs::recursive_directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec))
    TRY(fsync_path(it->path()));
  if (ec) return errno_error("list", folder, ec.value());
  return fsync_path(folder);
}

}  // namespace

Result<void> check_can_write(const Recipe& recipe, const Beginning& base) {
  if (!has_model(recipe)) return {};
  const Architecture* architecture = TRY(find_architecture(base.config.family));
  if (!is_gguf(recipe)) return architecture->fits_hf(base.config);
  if (architecture->gguf_architecture().empty())
    return error(Code::unimplemented,
                 "output.dtype = \"q8_0\" makes a GGUF file, and models of the family \"{}\" have no form there; leave "
                 "output.dtype at \"auto\"",
                 base.config.family);
  TRY(architecture->fits_gguf(base.config));
  if (base.tokenizer)
    TRY_WITH(tokenizer_to_gguf(*base.tokenizer, base.config.vocab_size),
             "output.dtype = \"q8_0\" makes a GGUF file, which cannot hold this tokenizer");
  return {};
}

Result<PendingResult> write_result(const fs::path& job, const Recipe& recipe, const Beginning& base,
                                   const ModelInTraining& model) {
  const fs::path folder = job / kPending;
  std::error_code ec;
  fs::remove_all(folder, ec);
  TRY(make_folders(folder));
  const TrainedWeights trained = TRY_WITH(model.trained_weights(), "while reading what was trained");
  std::vector<PendingResult::Served> served;
  if (has_model(recipe))
    served.push_back(TRY_WITH(write_model(folder, recipe, base, model, trained), "while writing the result"));
  if (model.lora.rank > 0)
    served.push_back(
        TRY_WITH(write_adapter(folder / kAdapter, recipe, base, model, trained), "while writing the adapter"));
  return PendingResult(job, std::move(served));
}

Result<std::vector<fs::path>> PendingResult::publish() {
  TRY(fsync_tree(job_ / kPending));
  std::error_code ec;
  fs::remove_all(job_ / kFinal, ec);
  TRY(rename_durably(job_ / kPending, job_ / kFinal));
  std::vector<fs::path> out;
  for (const Served& served : served_)
    out.push_back((job_ / kFinal / fs::relative(served.path, job_ / kPending, ec)).lexically_normal());
  return out;
}

}  // namespace hearth::train
