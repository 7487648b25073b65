// Install, import and export: the store's own operations, watched and stopped as jobs.
#include "appliance/box/stick.h"
#include "appliance/hearthd/jobs/job_control.h"
#include "model_store/adapter_base.h"
#include "model_store/formats/adapters/adapter.h"

namespace hearth {
store::Control control_for(const JobRun& run, const AnyStop& stop, std::string_view doing) {
  return {.progress =
              [&run, doing](uint64_t done, uint64_t total) {
                run.progress([&](api::Job& job) {
                  say(job, {std::string(doing),
                            {{"done", std::to_string(done >> 20)}, {"total", std::to_string(total >> 20)}}});
                  job.progress = total ? static_cast<double>(done) / static_cast<double>(total) : 0;
                });
              },
          .stop = stop.token()};
}

Result<void> run_install(const JobRun& run) {
  auto params = TRY(from_json<InstallParams>(run.params()));
  const api::InstallRequest& request = params.request;
  AnyStop stop(run.cancelled(), run.service_stops());
  run.progress([](api::Job& job) { say(job, {"checking_pack"}); });
  store::PackToInstall pack = TRY(run.store().open_pack(
      request.path, request.digest,
      {.name = request.name, .bundled = params.bundled, .replace = true, .any_version = request.any_version}));
  run.progress([&](api::Job& job) {
    job.title = fmt::format("Install {} from {}", pack.model().display_name, request.path);
    job.model = pack.model().name;
  });
  const bool was_replaced = pack.replaces().has_value();
  TRY(run.claim_name(pack.model().name, was_replaced));
  store::ModelRecord model = TRY(run.store().install(std::move(pack), control_for(run, stop, "installing")));
  run.progress([&](api::Job& job) { job.model = job.result_model = model.name; });
  run.events().publish("model", model.name, model.name + " was installed");
  return run.installed(model.name, was_replaced, request.deploy);
}

// An adapter whose base model is not in the store.
static bool lacks_its_base(const api::ImportRequest& request, const std::optional<std::string>& base,
                           const store::Store& store) {
  const auto models = store.list();
  if (!models || !is_adapter_folder(request.path)) return false;
  const auto found = store::find_base(request.path, base, *models);
  return !found && found.error().code == Code::failed_precondition;
}

Result<void> run_import(const JobRun& run) {
  auto request = TRY(from_json<api::ImportRequest>(run.params()));
  AnyStop stop(run.cancelled(), run.service_stops());
  store::ImportOptions options{
      .name = request.name, .version = request.version, .license = request.license, .description = request.description};
  if (!request.base.empty()) options.parent = request.base;
  auto imported = run.store().import_model(request.path, options, control_for(run, stop, "importing"));
  if (!imported && imported.error().code == Code::failed_precondition &&
      lacks_its_base(request, options.parent, run.store()))
    run.because({"base_not_here", {{"path", request.path}}});
  const store::ModelRecord model = TRY(std::move(imported));
  run.progress([&](api::Job& job) { job.model = job.result_model = model.name; });
  run.events().publish("model", model.name, model.name + " was imported");
  return {};
}

Result<void> run_export(const JobRun& run) {
  auto request = TRY(from_json<api::ExportRequest>(run.params()));
  AnyStop stop(run.cancelled(), run.service_stops());
  run.progress([](api::Job& job) { say(job, {"waiting_for_stick"}); });
  const auto stick = TRY(StickForWriting::ask(request.path, {.wishes = run.state().wishes()}));
  TRY(run.store().export_pack(request.model, request.path, {.signing_key = run.options().signing_key},
                              control_for(run, stop, "exporting")));
  run.events().publish("pack_source", request.path, "a pack was written to " + request.path);
  return {};
}

}  // namespace hearth
