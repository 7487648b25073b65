// Presets and overrides become a recipe; the trainer's own estimate tells what it will take.
#include "appliance/hearthd/jobs/train_request.h"

#include <cctype>
#include <cmath>

#include "appliance/hearthd/memory.h"
#include "trainer/estimate.h"
#include "trainer/presets.h"

namespace hearth {

constexpr std::string_view kDefaultPreset = "balanced";

Result<PlannedTraining> plan_training(const api::TrainRequest& request, const store::Store& store, const Datasets& datasets) {
  PlannedTraining plan;
  plan.model = TRY(store.find(request.model));
  plan.model_path = TRY(store.loader_path(request.model));
  plan.dataset = TRY(datasets.find(request.dataset));
  if (!plan.dataset.valid)
    return error(Code::failed_precondition, "the dataset {} has problems and cannot be trained on; correct the lines that its page names and add it again", plan.dataset.name);
  train::PresetInput input{.n_params = plan.model.n_params,
                           .max_seq_len = plan.model.max_seq_len,
                           .data_bytes = plan.dataset.size_bytes,
                           .n_examples = plan.dataset.n_examples};
  plan.recipe = TRY(train::preset_recipe(request.preset.empty() ? kDefaultPreset : request.preset, input));
  plan.recipe.model.init = request.model;
  plan.recipe.data.path = datasets.file(plan.dataset).string();
  plan.recipe.data.format = plan.dataset.format;
  for (const auto& [key, value] : request.overrides) {
    if (key == "data.path" || key == "data.eval_path" || key.starts_with("model.") || key.starts_with("output.folder"))
      return error(Code::invalid_argument, "overrides may not set {}", key);
    TRY_WITH(train::set_recipe_key(plan.recipe, key, value), "in overrides");
  }
  TRY(train::validate(plan.recipe));
  return plan;
}

Result<api::TrainEstimate> estimate_training_request(const PlannedTraining& plan) {
  train::Estimate estimate = TRY(train::estimate_training(plan.recipe, plan.model_path));
  api::TrainEstimate out{.n_steps = static_cast<int>(estimate.n_steps),
                         .n_tokens = static_cast<int>(std::min<int64_t>(estimate.n_tokens, INT32_MAX)),
                         .seconds = estimate.seconds,
                         .peak_memory_bytes = estimate.peak_memory_bytes,
                         .available_bytes = available_memory_bytes(),
                         .explanation = estimate.explanation};
  out.fits = out.peak_memory_bytes <= out.available_bytes;
  return out;
}

// What a store accepts in a name: letters, digits, dot, dash, underscore.
static std::string clean_name(std::string_view text) {
  std::string out;
  for (char c : text) out += std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_' ? c : '-';
  while (!out.empty() && !std::isalnum(static_cast<unsigned char>(out.front()))) out.erase(0, 1);
  return out.substr(0, 48);
}

Result<std::string> choose_result_name(const api::TrainRequest& request, const PlannedTraining& plan, const store::Store& store) {
  if (!request.name.empty()) {
    if (store.find(request.name)) return error(Code::already_exists, "there is a model named {} already; choose another name", request.name);
    return request.name;
  }
  std::string base = clean_name(fmt::format("{}-{}", request.model, std::filesystem::path(plan.dataset.name).stem().string()));
  if (base.empty()) base = "trained";
  for (int i = 1; i < 10'000; ++i) {
    std::string name = i == 1 ? base : fmt::format("{}-{}", base, i);
    if (!store.find(name)) return name;
  }
  return error(Code::already_exists, "too many models named {}", base);
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
