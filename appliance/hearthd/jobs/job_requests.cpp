// What may become a job: requests are checked and added with the lock held, so that two at once cannot both get what
// only one may have.
#include <algorithm>

#include "appliance/box/visible_path.h"
#include "appliance/hearthd/jobs/job_run.h"
#include "appliance/hearthd/jobs/train_request.h"
#include "base/disk_space.h"
#include "model_store/model_names.h"

namespace hearth {

constexpr std::chrono::seconds kWaitForOtherEstimates{20};

bool Jobs::makes_model(const std::string& name) const {
  return std::any_of(records_.begin(), records_.end(), [&](const auto& item) {
    const Record& record = *item.second;
    return !is_over(record.job) && record.job.kind == "train" &&
           (record.params.value("result_name", "") == name || record.params.value("adapter_name", "") == name);
  });
}

Result<void> Jobs::check_not_replaced(const std::string& model) const {
  for (const auto& [id, record] : records_)
    if (!is_over(record->job) && record->replaces == model)
      return error(Code::failed_precondition, "job {} is installing an update of {}; try again when it is over", id,
                   model);
  return {};
}

Result<api::Job> Jobs::install(const api::InstallRequest& request) {
  if (request.path.empty())
    return error(Code::invalid_argument, "path is empty; required: the folder or stick that holds the pack");
  if (!request.name.empty()) TRY(store::requested_model_name(request.name));
  api::Job job{.kind = "install", .title = "Install a pack from " + request.path};
  return add(Lock(mutex_), std::move(job), to_json_value(InstallParams{request, false}));
}

Result<std::optional<api::Job>> Jobs::install_bundled(const api::InstallRequest& request) {
  if (TRY(db_.bundled_pack_seen(request.digest))) return std::optional<api::Job>();
  api::Job job{.kind = "install", .title = "Install the model that came with this box"};
  return std::optional(
      TRY(add(Lock(mutex_), std::move(job), to_json_value(InstallParams{request, true}), request.digest)));
}

Result<api::Job> Jobs::import(api::ImportRequest request) {
  TRY(check_visible(request.path));
  const std::string name = request.name.empty() ? "" : TRY(store::requested_model_name(request.name));
  if (!request.base.empty()) request.base = TRY(store_.resolve(request.base));
  api::Job job{.kind = "import", .title = "Import " + request.path, .model = name};
  Lock lock(mutex_);
  if (makes_model(name))
    return error(Code::already_exists, "a training job will make a model named {}; give another name", name);
  return add(lock, std::move(job), to_json_value(request));
}

Result<api::Job> Jobs::export_pack(api::ExportRequest request) {
  request.model = TRY(store_.resolve(request.model));
  if (request.path.empty() || request.path.front() != '/')
    return error(Code::invalid_argument, "path must be an absolute folder, got \"{}\"", request.path);
  api::Job job{
      .kind = "export", .title = fmt::format("Export {} to {}", request.model, request.path), .model = request.model};
  Lock lock(mutex_);
  TRY(check_not_replaced(request.model));
  return add(lock, std::move(job), to_json_value(request));
}

Result<api::Job> Jobs::train(api::TrainRequest request) {
  request.model = TRY(store_.resolve(request.model));
  PlannedTraining plan = TRY(plan_training(request, store_, datasets_));
  TRY(check_disk_space(state_.root, training_disk_bytes(plan.recipe, plan.model)));
  Lock lock(mutex_);
  TRY(check_not_replaced(request.model));
  auto is_taken = [this](const std::string& name) { return store_.find(name).has_value() || makes_model(name); };
  ResultName result = TRY(choose_result_name(request, plan, is_taken));
  std::string adapter_name = TRY(choose_adapter_name(plan.recipe, result.name, is_taken));
  plan.recipe.output.name = result.display_name;
  TrainParams params{request, train::recipe_to_toml(plan.recipe), std::move(result.name),
                     std::move(result.display_name), std::move(adapter_name)};
  api::Job job{.kind = "train",
               .title = fmt::format("Train {} on {}", request.model, plan.dataset.name),
               .model = request.model};
  return add(lock, std::move(job), to_json_value(params));
}

Result<api::TrainEstimate> Jobs::estimate(api::TrainRequest request, const std::stop_token& stop) {
  request.model = TRY(store_.resolve(request.model));
  PlannedTraining plan = TRY(plan_training(request, store_, datasets_));
  std::unique_lock one(estimating_, kWaitForOtherEstimates);
  if (!one) return error(Code::unavailable, "other estimates are being made; try again in a moment");
  return estimate_training_request(plan, state_, {options_.trainer, options_.estimate_limit}, stop);
}

}  // namespace hearth
