// The job list, its two lanes, and what happens around a job whatever its kind.
#include "appliance/hearthd/jobs/jobs.h"

#include <algorithm>

#include "appliance/hearthd/jobs/job_files.h"
#include "appliance/hearthd/jobs/job_run.h"
#include "base/disk_full.h"
#include "base/log.h"

namespace hearth {

constexpr double kSecondsBetweenProgressEvents = 0.5;

Jobs::Jobs(StateDir state, JobOptions options, ServiceDb& db, store::Store& store, Datasets& datasets, EventBus& events)
    : state_(std::move(state)),
      options_(std::move(options)),
      db_(db),
      store_(store),
      datasets_(datasets),
      events_(events) {}

Jobs::~Jobs() {
  stop();
}

Result<void> Jobs::start() {
  for (JobRow& row : TRY(db_.jobs())) {
    auto record = std::make_shared<Record>();
    record->job = std::move(row.job);
    record->params = std::move(row.params);
    records_[std::stoll(record->job.id)] = record;
    if (record->job.state == "running") take_up_again(*record);
  }
  remove_stray_folders();
  store_lane_ = std::jthread([this](const std::stop_token& stop) { run_lane(Lane::store, stop); });
  train_lane_ = std::jthread([this](const std::stop_token& stop) { run_lane(Lane::train, stop); });
  return {};
}

// A job whose doing ends the service would do so for ever: it is given up when it comes no further from one end to the
// next.
void Jobs::take_up_again(Record& record) {
  api::Job& job = record.job;
  ++job.n_restarts;
  double progress = job.kind == "train" ? trained_so_far(state_.job(job.id)) : 0;
  job.n_interrupted = progress > job.progress ? 1 : job.n_interrupted + 1;
  job.progress = std::max(job.progress, progress);
  bool is_hopeless = job.n_interrupted >
                     (job.kind == "train" ? options_.max_interrupted_trainings : options_.max_interrupted_store_jobs);
  job.state = is_hopeless ? api::JobState("failed") : api::JobState("queued");
  say(job, {is_hopeless ? "failed" : "taken_up_again"});
  if (is_hopeless) {
    job.finished_at = now_seconds();
    job.reason = fmt::format(
        "the service ended {} times while this job ran, and the job came no further; see `hearth logs`, then start it "
        "anew",
        job.n_interrupted);
  }
  if (Result<void> saved = db_.update_job(job); !saved) spdlog::error("job {}: {}", job.id, saved.error().to_string());
}

// Left by a crash during remove().
void Jobs::remove_stray_folders() {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(state_.jobs(), ignored)) {
    std::string name = entry.path().filename().string();
    bool is_number = !name.empty() && name.size() < 18 &&
                     std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (is_number && !records_.contains(std::stoll(name))) std::filesystem::remove_all(entry.path(), ignored);
  }
}

void Jobs::request_stop() {
  for (std::jthread* lane : {&store_lane_, &train_lane_}) lane->request_stop();
}

void Jobs::stop() {
  request_stop();
  for (std::jthread* lane : {&store_lane_, &train_lane_})
    if (lane->joinable()) lane->join();
}

Result<api::Job> Jobs::add(const Lock&, api::Job job, Json params, const std::string& bundled_digest) {
  job.state = "queued";
  say(job, {"waiting"});
  job.created_at = now_seconds();
  JobRow row{std::move(job), std::move(params)};
  TRY(bundled_digest.empty() ? db_.add_job(row) : db_.add_bundled_pack(bundled_digest, row));
  auto record = std::make_shared<Record>();
  record->job = row.job;
  record->params = std::move(row.params);
  records_[std::stoll(row.job.id)] = std::move(record);
  events_.publish(row.job);
  changed_.notify_all();
  return row.job;
}

std::vector<api::Job> Jobs::list() const {
  std::lock_guard lock(mutex_);
  std::vector<api::Job> out;
  for (auto it = records_.rbegin(); it != records_.rend(); ++it) out.push_back(it->second->job);
  return out;
}

static Result<int64_t> parse_id(const std::string& id) {
  bool is_number =
      !id.empty() && id.size() < 18 && std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number) return error(Code::not_found, "no job {}; `hearth jobs` lists them", id);
  return std::stoll(id);
}

Result<api::Job> Jobs::find(const std::string& id) const {
  int64_t number = TRY(parse_id(id));
  std::lock_guard lock(mutex_);
  auto it = records_.find(number);
  if (it == records_.end()) return error(Code::not_found, "no job {}; `hearth jobs` lists them", id);
  return it->second->job;
}

Result<api::Job> Jobs::cancel(const std::string& id) {
  int64_t number = TRY(parse_id(id));
  Lock lock(mutex_);
  auto it = records_.find(number);
  if (it == records_.end()) return error(Code::not_found, "no job {}; `hearth jobs` lists them", id);
  std::shared_ptr<Record> record = it->second;
  if (is_over(record->job))
    return error(Code::failed_precondition, "job {} is over already: {}", id, record->job.state);
  if (record->job.state == "queued") {
    update(lock, *record, true, [](api::Job& job) {
      job.state = "cancelled";  // no lane takes it now
      say(job, {"cancelled_before_it_began"});
      job.finished_at = now_seconds();
    });
    return record->job;
  }
  update(lock, *record, false, [](api::Job& job) { say(job, {"stopping"}); });
  api::Job now = record->job;
  lock.unlock();
  record->cancel.request_stop();  // runs what waits for it, which may take the lock
  return now;
}

Result<void> Jobs::remove(const std::string& id) {
  int64_t number = TRY(parse_id(id));
  Lock lock(mutex_);
  auto it = records_.find(number);
  if (it == records_.end()) return error(Code::not_found, "no job {}; `hearth jobs` lists them", id);
  if (!is_over(it->second->job))
    return error(Code::failed_precondition, "job {} is not over: {}; cancel it first", id, it->second->job.state);
  TRY(db_.remove_job(it->second->job.id));
  std::filesystem::path folder = state_.job(it->second->job.id);
  records_.erase(it);
  events_.publish("job", std::to_string(number), fmt::format("job {} was removed", number));
  lock.unlock();
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);  // left behind: removed at the next start
  return {};
}

Result<std::vector<api::MetricPoint>> Jobs::metrics(const std::string& id) const {
  return read_job_lines<api::MetricPoint>(state_.job(TRY(find(id)).id) / "metrics.jsonl");
}

Result<std::vector<api::BeforeAfter>> Jobs::samples(const std::string& id) const {
  return read_job_lines<api::BeforeAfter>(state_.job(TRY(find(id)).id) / "samples.jsonl");
}

bool Jobs::uses_dataset(const std::string& dataset) const {
  std::lock_guard lock(mutex_);
  return std::any_of(records_.begin(), records_.end(), [&](const auto& item) {
    const Record& r = *item.second;
    return r.job.kind == "train" && !is_over(r.job) && r.params["request"].value("dataset", "") == dataset;
  });
}

Result<void> Jobs::forget_texts_of(const std::string& dataset) {
  std::lock_guard lock(mutex_);
  for (const auto& [number, record] : records_) {
    if (record->job.kind != "train" || record->params["request"].value("dataset", "") != dataset) continue;
    const std::filesystem::path samples = state_.job(record->job.id) / "samples.jsonl";
    std::error_code failed;
    std::filesystem::remove(samples, failed);
    if (failed) return errno_error("remove", samples, failed.value());
  }
  return {};
}

bool Jobs::uses_model(const std::string& model) const {
  std::lock_guard lock(mutex_);
  return std::any_of(records_.begin(), records_.end(),
                     [&](const auto& item) { return item.second->job.model == model && !is_over(item.second->job); });
}

std::shared_ptr<Jobs::Record> Jobs::next(Lane lane, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  std::shared_ptr<Record> found;
  changed_.wait(lock, stop, [&] {
    for (const auto& [id, record] : records_) {
      bool is_ours = (record->job.kind == "train") == (lane == Lane::train);
      if (is_ours && record->job.state == "queued") {
        found = record;
        record->job.state = "running";  // taken; committed by run_one
        return true;
      }
    }
    return false;
  });
  return found;
}

void Jobs::run_lane(Lane lane, const std::stop_token& stop) {
  while (!stop.stop_requested())
    if (std::shared_ptr<Record> record = next(lane, stop)) run_one(*record, stop);
}

static Result<void> run_kind(const JobRun& run) {
  const api::JobKind kind = run.job().kind;
  if (kind == "install") return run_install(run);
  if (kind == "import") return run_import(run);
  if (kind == "export") return run_export(run);
  if (kind == "train") return run_train(run);
  return error(Code::unimplemented, "this Hearth knows no jobs of kind {}", kind);
}

// A lane outlives a job whose library throws.
static Result<void> run_guarded(const JobRun& run) {
  try {
    return run_kind(run);
  } catch (const std::exception& e) {
    return error(Code::internal, "the job failed inside the service: {}", e.what());
  }
}

void Jobs::run_one(Record& record, const std::stop_token& stop) {
  JobRun run(*this, record, stop);
  run.commit([](api::Job& job) {
    job.state = "running";
    say(job, {"starting"});
    job.cause = {};
    if (job.started_at == 0) job.started_at = now_seconds();
  });
  spdlog::info("job {} ({}): {}", record.job.id, record.job.kind, record.job.title);
  Result<void> result = run_guarded(run);
  bool is_cancelled = record.cancel.stop_requested();
  bool is_interrupted = !result && result.error().code == Code::cancelled && !is_cancelled && stop.stop_requested();
  if (is_interrupted) {  // by the service's orderly end, which says nothing against the job
    run.commit([](api::Job& job) {
      job.state = "queued";
      say(job, {"goes_on_later"});
      job.n_interrupted = 0;
      ++job.n_restarts;
    });
    return;
  }
  run.commit([&](api::Job& job) {
    job.state = result ? api::JobState("done") : is_cancelled ? api::JobState("cancelled") : api::JobState("failed");
    say(job, {job.state.text()});
    job.seconds_left.reset();
    job.finished_at = now_seconds();
    if (result) job.progress = 1;
    if (result || is_cancelled) job.cause = {};
    if (!result && !is_cancelled) job.reason = result.error().to_string();
    if (!result && !is_cancelled && is_disk_full(result.error())) job.cause = disk_full_cause(result.error());
  });
  spdlog::info("job {}: {}{}", record.job.id, record.job.state,
               record.job.reason.empty() ? "" : ": " + record.job.reason);
}

void Jobs::update(Record& record, bool durable, const std::function<void(api::Job&)>& change) {
  update(Lock(mutex_), record, durable, change);
}

// Saved and published with the lock held, so that nobody hears of an older state after a newer one.
void Jobs::update(const Lock&, Record& record, bool durable, const std::function<void(api::Job&)>& change) {
  change(record.job);
  bool publish = durable || now_seconds() - record.published_at >= kSecondsBetweenProgressEvents;
  if (publish) record.published_at = now_seconds();
  if (durable)
    if (Result<void> saved = db_.update_job(record.job); !saved)
      spdlog::error("job {}: {}", record.job.id, saved.error().to_string());
  if (publish) events_.publish(record.job);
}

}  // namespace hearth
