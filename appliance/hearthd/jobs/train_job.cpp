// Training: hearth-trainer in its own process, its status followed, restarted when it is killed, its result put into
// the store.
#include "appliance/hearthd/jobs/job_run.h"
#include "appliance/hearthd/workers/child_process.h"
#include "base/log.h"
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

void follow_status(const JobRun& run) {
  auto text = read_file(run.folder() / "status.json", 1 << 20);
  if (!text) return;
  auto json = parse_json(*text);
  if (!json) return;
  auto status = from_json<train::RunStatus>(*json);
  if (!status) return;
  api::Job now = run.job();
  bool is_news = now.step != status->step || now.progress != status->progress || now.loss != status->loss;
  if (!is_news || now.step == "stopping") return;
  run.progress([&](api::Job& job) {
    job.step = status->step;
    job.progress = status->progress;
    job.seconds_left = status->seconds_left;
    job.loss = status->loss;
    job.eval_loss_before = status->eval_loss_before;
    job.eval_loss_after = status->eval_loss_after;
  });
}

Error stopped() { return error(Code::cancelled, "stopped"); }
bool must_stop(const JobRun& run) { return run.cancelled().stop_requested() || run.service_stops().stop_requested(); }

// One life of a trainer. True: it finished. False: it was killed and may be started again; `why` says how.
Result<bool> run_trainer_once(const JobRun& run, std::string& why) {
  ChildProcess trainer = TRY(ChildProcess::start({.argv = {run.options().trainer.string(), "--job-dir", run.folder().string(),
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
  if (!trainer.crashed()) return error(Code::internal, "{}", why);
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
      job.step = fmt::format("{}; starting again from the last checkpoint", why);
    });
    TRY(pause(run, back_off));
    back_off = std::min(back_off * 2, run.options().longest_back_off);
  }
}

}  // namespace

Result<void> run_train(const JobRun& run) {
  auto params = TRY(from_json<TrainParams>(run.params()));
  TRY(prepare_folder(run, params));
  TRY(run_trainer(run));
  run.progress([](api::Job& job) { job.step = "adding the model to the store"; });
  store::ImportOptions options{.name = params.result_name,
                               .description = fmt::format("{}, trained by {}", params.request.model, run.job().title),
                               .source = "training job " + run.job().id,
                               .parent = params.request.model};
  store::ModelRecord model = TRY_WITH(run.store().import_model(run.folder() / "result", options), "while adding the result to the store");
  run.progress([&](api::Job& job) { job.result_model = model.name; });
  run.events().publish("model", model.name, model.name + " was trained");
  return {};
}

}  // namespace hearth
