// Install, import and export: the store's own operations, watched and stopped as jobs.
#include "appliance/hearthd/jobs/job_control.h"

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
  const std::string &path = params.request.path, &digest = params.request.digest;
  AnyStop stop(run.cancelled(), run.service_stops());
  run.progress([](api::Job& job) { say(job, {"checking_pack"}); });
  store::InstallOptions options{.bundled = params.bundled};
  bool was_replaced = false;
  for (const store::PackSummary& pack : TRY(run.store().scan(path))) {
    if (!digest.empty() && pack.digest != digest) continue;
    auto present = run.store().find(pack.name);
    was_replaced = present && present->digest != pack.digest;
    options.replace = was_replaced && !present->signer.empty();  // an update of a pack; never of one's own model
    run.progress([&](api::Job& job) {
      job.title = fmt::format("Install {} from {}", pack.name, path);
      job.model = pack.name;
    });
    if (options.replace) TRY(run.claim_replacement(pack.name));
    break;
  }
  store::ModelRecord model = TRY(run.store().install(path, digest, options, control_for(run, stop, "installing")));
  run.progress([&](api::Job& job) { job.model = job.result_model = model.name; });
  run.events().publish("model", model.name, model.name + " was installed");
  return run.installed(model.name, was_replaced, params.request.deploy);
}

Result<void> run_import(const JobRun& run) {
  auto request = TRY(from_json<api::ImportRequest>(run.params()));
  AnyStop stop(run.cancelled(), run.service_stops());
  store::ModelRecord model =
      TRY(run.store().import_model(request.path, {.name = request.name}, control_for(run, stop, "importing")));
  run.progress([&](api::Job& job) { job.model = job.result_model = model.name; });
  run.events().publish("model", model.name, model.name + " was imported");
  return {};
}

Result<void> run_export(const JobRun& run) {
  auto request = TRY(from_json<api::ExportRequest>(run.params()));
  AnyStop stop(run.cancelled(), run.service_stops());
  TRY(run.store().export_pack(request.model, request.path, {.signing_key = run.options().signing_key},
                              control_for(run, stop, "exporting")));
  run.events().publish("pack_source", request.path, "a pack was written to " + request.path);
  return {};
}

}  // namespace hearth
