// Presets and overrides become a recipe; what it needs on the disk, and what its result is called.
#include "appliance/hearthd/jobs/train_request.h"

#include <cmath>

#include "model_store/model_names.h"
#include "trainer/presets.h"

namespace hearth {

constexpr std::string_view kDefaultPreset = "balanced";

Result<PlannedTraining> plan_training(const api::TrainRequest& request, const store::Store& store,
                                      const Datasets& datasets) {
  PlannedTraining plan;
  plan.model = TRY(store.find(request.model));
  plan.model_path = TRY(store.loader_path(request.model));
  plan.dataset = TRY(datasets.find(request.dataset));
  if (!plan.dataset.valid)
    return error(
        Code::failed_precondition,
        "the dataset {} has problems and cannot be trained on; correct the lines that its page names and add it again",
        plan.dataset.name);
  train::PresetInput input{.n_params = plan.model.n_params,
                           .max_seq_len = plan.model.max_seq_len,
                           .data_bytes = plan.dataset.size_bytes,
                           .n_examples = plan.dataset.n_examples};
  plan.recipe = TRY(train::preset_recipe(request.preset.empty() ? kDefaultPreset : request.preset, input));
  plan.recipe.model.init = request.model;
  plan.recipe.data.path = datasets.file(plan.dataset).string();
  plan.recipe.data.format = plan.dataset.format;
  plan.recipe.data.name = plan.dataset.name;
  for (const auto& [key, value] : request.overrides) {
    if (key == "data.path" || key == "data.name" || key == "data.eval_path" || key.starts_with("model.") ||
        key.starts_with("output.folder") || key == "output.name")
      return error(Code::invalid_argument, "overrides may not set {}", key);
    TRY_WITH(train::set_recipe_key(plan.recipe, key, value), "in overrides");
  }
  TRY(train::validate(plan.recipe));
  return plan;
}

uint64_t training_disk_bytes(const train::Recipe& recipe, const store::ModelRecord& model) {
  constexpr uint64_t kCheckpointBytes = 12;  // f32 weight and two moments, for each parameter that learns
  constexpr uint64_t kAdapterShare = 50;     // an adapter of a high rank has a fiftieth of its model's parameters
  uint64_t n_params = model.n_params > 0 ? model.n_params : model.size_bytes / 2;
  bool is_lora = recipe.method.type == "lora";
  uint64_t n_trained = is_lora ? n_params / kAdapterShare : n_params;
  uint64_t checkpoints = (static_cast<uint64_t>(recipe.checkpoint.keep) + 2) * n_trained *
                         kCheckpointBytes;  // the best one, and one more while it is written
  uint64_t adapter = is_lora ? n_trained * 4 : 0;
  bool has_model = !is_lora || recipe.output.merge;
  uint64_t bytes_each = recipe.output.dtype == "f32" || (recipe.output.dtype == "auto" && model.dtype == "f32") ? 4 : 2;
  return checkpoints + adapter + (has_model ? n_params * bytes_each : 0);  // the store takes the files themselves
}

Result<ResultName> choose_result_name(const api::TrainRequest& request, const PlannedTraining& plan,
                                      const std::function<bool(const std::string&)>& is_taken) {
  if (!request.name.empty()) {
    std::string name = TRY(store::requested_model_name(request.name));
    if (is_taken(name))
      return error(Code::already_exists,
                   "there is a model named {} already, or a training job that will make one; choose another name",
                   request.name);
    return ResultName{std::move(name), request.name};
  }
  const std::string base =
      fmt::format("{}-{}", plan.model.display_name, std::filesystem::path(plan.dataset.name).stem().string());
  for (int i = 1; i < 10'000; ++i) {
    ResultName result{.display_name = i == 1 ? base : fmt::format("{}-{}", base, i)};
    result.name = store::make_model_name(result.display_name);
    if (!is_taken(result.name)) return result;
  }
  return error(Code::already_exists, "too many models named {}", base);
}

Result<std::string> choose_adapter_name(const train::Recipe& recipe, const std::string& result_name,
                                        const std::function<bool(const std::string&)>& is_taken) {
  if (recipe.method.type != "lora" || !recipe.output.merge) return std::string();
  constexpr size_t kLongest = 52;  // a name has 64 bytes
  for (int i = 1; i < 10'000; ++i) {
    std::string name = result_name.substr(0, kLongest) + (i == 1 ? "-adapter" : fmt::format("-adapter-{}", i));
    if (!is_taken(name)) return name;
  }
  return error(Code::already_exists, "too many adapters named like {}", result_name);
}

std::vector<api::TrainPreset> list_presets() {
  std::vector<api::TrainPreset> out;
  for (const train::Preset& preset : train::all_presets()) {
    Result<train::Recipe> recipe = train::preset_recipe(preset.id, {});
    if (!recipe) continue;
    out.push_back({.id = preset.id,
                   .title = preset.title,
                   .description = preset.description,
                   .method = recipe->method.type,
                   .n_epochs = static_cast<int>(std::lround(recipe->schedule.n_epochs)),
                   .max_seq_len = recipe->data.max_seq_len,
                   .lora_rank = recipe->method.type == "lora" ? recipe->method.rank : 0,
                   .learning_rate = recipe->optimizer.learning_rate});
  }
  return out;
}

}  // namespace hearth
