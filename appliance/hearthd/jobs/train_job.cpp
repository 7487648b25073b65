// Training: hearth-trainer in its own process, its status followed, restarted when it is killed, its result put into
// the store.
#include "appliance/hearthd/jobs/job_control.h"
#include "appliance/hearthd/workers/child_process.h"
#include "base/log.h"
#include "trainer/exit_codes.h"
#include "trainer/run.h"

namespace hearth {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kStatusPoll{300};

Result<void> prepare_folder(const JobRun& run, const TrainParams& params) {
  TRY(make_folders(run.folder()));
  std::filesystem::path recipe = run.folder() / "recipe.toml";
  std::error_code ignored;
  if (std::filesystem::exists(recipe, ignored)) return {};
  return write_file(recipe, params.recipe);
}

Result<train::RunStatus> read_status(const std::filesystem::path& folder) {
  std::string text = TRY(read_file(folder / "status.json", 1 << 20));
  return from_json<train::RunStatus>(TRY(parse_json(text)));
}

void follow_status(const JobRun& run) {
  auto status = read_status(run.folder());
  if (!status) return;
  api::Job now = run.job();
  bool is_news = now.device != status->device || now.phrase != status->phrase || now.progress != status->progress ||
                 now.loss != status->loss;
  if (!is_news || now.phrase.code == "stopping") return;
  run.progress([&](api::Job& job) {
    job.step = status->step;
    job.phrase = status->phrase;
    job.progress = status->progress;
    job.seconds_left = status->seconds_left;
    job.loss = status->loss;
    job.eval_loss_before = status->eval_loss_before;
    job.eval_loss_after = status->eval_loss_after;
    job.eval_loss_last = status->eval_loss_last;
    job.kept_step = status->kept_step;
    job.device = status->device;
    job.device_reason = status->device_reason;
  });
}

Error stopped() {
  return error(Code::cancelled, "stopped");
}
bool must_stop(const JobRun& run) {
  return run.cancelled().stop_requested() || run.service_stops().stop_requested();
}

// One life of a trainer. True: it finished. False: it was killed or stopped and may be started again; `why` says how.
Result<bool> run_trainer_once(const JobRun& run, std::string& why) {
  run.because({});  // what ended its last life says nothing of this one
  ChildProcess trainer =
      TRY(ChildProcess::start({.argv = {run.options().trainer.string(), "--job-dir", run.folder().string(),
                                        "--state-dir", run.state().root.string()},
                               .log = run.folder() / "log"}));
  spdlog::info("trainer of job {} started, process {}", run.job().id, trainer.pid());
  while (!trainer.wait_exit(kStatusPoll)) {
    follow_status(run);
    if (must_stop(run)) {
      trainer.stop(run.options().trainer_grace);
      return stopped();
    }
  }
  follow_status(run);
  if (trainer.succeeded()) return true;
  why = "the trainer " + trainer.death();
  const auto status = read_status(run.folder());
  const bool says_why = trainer.exit_status().has_value() && status && !status->cause.code.empty();
  run.because(says_why ? status->cause : trainer.cause());
  bool goes_on =
      trainer.crashed() || trainer.exit_status() == train::kExitStopped || trainer.exit_status() == train::kExitBusy;
  if (!goes_on) return error(Code::internal, "{}", why);
  spdlog::warn("job {}: {}", run.job().id, why);
  return false;
}

// Waits, but not when asked to stop.
Result<void> pause(const JobRun& run, milliseconds time) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::stop_callback on_cancel(run.cancelled(), [&] { never.notify_all(); });
  std::unique_lock lock(mutex);
  never.wait_for(lock, run.service_stops(), time, [&] { return run.cancelled().stop_requested(); });
  if (must_stop(run)) return stopped();
  return {};
}

// A killed trainer is restarted for as long as it gets further between two deaths.
Result<void> run_trainer(const JobRun& run) {
  milliseconds back_off = run.options().first_back_off;
  double best_progress = -1;
  int n_without_progress = 0;
  while (true) {
    std::string why;
    if (TRY(run_trainer_once(run, why))) return {};
    double progress = run.job().progress;
    n_without_progress = progress > best_progress ? 0 : n_without_progress + 1;
    best_progress = std::max(best_progress, progress);
    if (n_without_progress >= run.options().max_restarts_without_progress)
      return error(Code::internal, "{}; it was started {} times and came no further", why, n_without_progress + 1);
    run.commit([&](api::Job& job) {
      ++job.n_restarts;
      say(job, {"trainer_died", {{"death", why}}});
    });
    TRY(pause(run, back_off));
    back_off = std::min(back_off * 2, run.options().longest_back_off);
  }
}

// What only the trainer needed: the model is in the store now. Metrics, samples and the log stay until the job is
// removed.
void remove_what_the_store_has(const std::filesystem::path& folder) {
  std::error_code failed;
  for (const char* name : {"checkpoints", "result"}) {
    std::filesystem::remove_all(folder / name, failed);
    if (failed) spdlog::warn("cannot remove {}: {}", (folder / name).string(), failed.message());
  }
}

}  // namespace

double trained_so_far(const std::filesystem::path& job_folder) {
  auto status = read_status(job_folder);
  return status ? status->progress : 0;
}

// What training began with: of an adapter, its base.
static std::string base_of(const JobRun& run, const std::string& model) {
  auto record = run.store().find(model);
  return record && record->kind == "adapter" ? record->parent.value_or(model) : model;
}

static bool holds_files(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
    if (entry.is_regular_file(ignored)) return true;
  return false;
}

// The job is titled "Train MODEL on FILE".
static std::string what_it_is(const std::string& model, const std::string& title) {
  const std::string before = fmt::format("Train {} on ", model);
  return title.starts_with(before) ? fmt::format("{}, trained on {}", model, title.substr(before.size())) : title;
}

static Result<std::string> take_in(const JobRun& run, const TrainParams& params, const std::filesystem::path& result,
                                   store::ImportOptions options) {
  AnyStop stop(run.cancelled(), run.service_stops());
  options.description = what_it_is(params.request.model, run.job().title);
  options.training_job = run.job().id;
  options.parent = base_of(run, params.request.model);
  options.number_if_taken = true;  // hours of training are not lost to a name
  options.adopt = true;
  return TRY_WITH(run.store().import_model(result, options, control_for(run, stop, "adding_to_store_copy")),
                  "while adding the result to the store")
      .name;
}

Result<void> run_train(const JobRun& run) {
  auto params = TRY(from_json<TrainParams>(run.params()));
  if (run.job().result_model == params.result_name) {  // the service ended between the import and the job's end
    remove_what_the_store_has(run.folder());
    return {};
  }
  TRY(prepare_folder(run, params));
  TRY(run_trainer(run));
  run.progress([](api::Job& job) { say(job, {"adding_to_store"}); });
  const std::filesystem::path result = run.folder() / "result", adapter = result / "adapter";
  std::error_code ignored;
  std::string adapter_name;
  if (!params.adapter_name.empty() && std::filesystem::exists(adapter, ignored))
    adapter_name = TRY(take_in(run, params, adapter, {.name = params.adapter_name}));
  const std::string name = TRY(take_in(run, params, holds_files(result) ? result : adapter,
                                       {.name = params.result_name, .display_name = params.result_display_name}));
  run.commit([&](api::Job& job) {
    job.result_model = name;
    job.result_adapter = adapter_name;
  });
  remove_what_the_store_has(run.folder());
  run.events().publish("model", name, name + " was trained");
  return {};
}

}  // namespace hearth
