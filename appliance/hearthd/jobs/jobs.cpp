// The job list, its two lanes, and what happens around a job whatever its kind.
#include "appliance/hearthd/jobs/jobs.h"

#include <algorithm>

#include "appliance/hearthd/jobs/job_files.h"
#include "appliance/hearthd/jobs/job_run.h"
#include "appliance/hearthd/jobs/train_request.h"
#include "base/log.h"

namespace hearth {

constexpr double kSecondsBetweenProgressEvents = 0.5;

static bool is_over(const api::Job& job) { return job.state == "done" || job.state == "failed" || job.state == "cancelled"; }

Jobs::Jobs(StateDir state, JobOptions options, ServiceDb& db, store::Store& store, Datasets& datasets, EventBus& events)
    : state_(std::move(state)), options_(std::move(options)), db_(db), store_(store), datasets_(datasets), events_(events) {}

Jobs::~Jobs() { stop(); }

Result<void> Jobs::start() {
  for (JobRow& row : TRY(db_.jobs())) {
    auto record = std::make_shared<Record>();
    record->job = std::move(row.job);
    record->params = std::move(row.params);
    if (record->job.state == "running") {
      record->job.state = "queued";
      record->job.step = "taken up again after a restart of the service";
      ++record->job.n_restarts;
    }
    records_[std::stoll(record->job.id)] = std::move(record);
  }
  store_lane_ = std::jthread([this](const std::stop_token& stop) { run_lane(Lane::store, stop); });
  train_lane_ = std::jthread([this](const std::stop_token& stop) { run_lane(Lane::train, stop); });
  return {};
}

void Jobs::stop() {
  for (std::jthread* lane : {&store_lane_, &train_lane_}) lane->request_stop();
  for (std::jthread* lane : {&store_lane_, &train_lane_})
    if (lane->joinable()) lane->join();
}

Result<api::Job> Jobs::add(api::Job job, Json params, const std::string& bundled_digest) {
  job.state = "queued";
  job.step = "waiting";
  job.created_at = now_seconds();
  JobRow row{std::move(job), std::move(params)};
  TRY(bundled_digest.empty() ? db_.add_job(row) : db_.add_bundled_pack(bundled_digest, row));
  auto record = std::make_shared<Record>();
  record->job = row.job;
  record->params = std::move(row.params);
  std::lock_guard lock(mutex_);
  records_[std::stoll(row.job.id)] = std::move(record);
  events_.publish(row.job);
  changed_.notify_all();
  return row.job;
}

Result<api::Job> Jobs::install(const api::InstallRequest& request) {
  if (request.path.empty()) return error(Code::invalid_argument, "path is empty; required: the folder or stick that holds the pack");
  api::Job job{.kind = "install", .title = "Install a pack from " + request.path};
  return add(std::move(job), to_json_value(InstallParams{request, false}));
}

Result<std::optional<api::Job>> Jobs::install_bundled(const api::InstallRequest& request) {
  if (TRY(db_.bundled_pack_seen(request.digest))) return std::optional<api::Job>();
  api::Job job{.kind = "install", .title = "Install the model that came with this box"};
  return std::optional(TRY(add(std::move(job), to_json_value(InstallParams{request, true}), request.digest)));
}

Result<api::Job> Jobs::import(const api::ImportRequest& request) {
  std::error_code failed;
  if (!std::filesystem::exists(request.path, failed)) return error(Code::not_found, "there is nothing at {}", request.path);
  api::Job job{.kind = "import", .title = "Import " + request.path, .model = request.name};
  return add(std::move(job), to_json_value(request));
}

Result<api::Job> Jobs::export_pack(const api::ExportRequest& request) {
  TRY(store_.find(request.model));
  if (request.path.empty() || request.path.front() != '/')
    return error(Code::invalid_argument, "path must be an absolute folder, got \"{}\"", request.path);
  api::Job job{.kind = "export", .title = fmt::format("Export {} to {}", request.model, request.path), .model = request.model};
  return add(std::move(job), to_json_value(request));
}

Result<api::Job> Jobs::train(const api::TrainRequest& request) {
  PlannedTraining plan = TRY(plan_training(request, store_, datasets_));
  std::string result_name = TRY(choose_result_name(request, plan, store_));
  TrainParams params{request, train::recipe_to_toml(plan.recipe), std::move(result_name)};
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, record] : records_)
      if (!is_over(record->job) && record->job.kind == "train" && record->params.value("result_name", "") == params.result_name)
        return error(Code::already_exists, "training job {} will already make a model named {}; give another name", id, params.result_name);
  }
  api::Job job{.kind = "train",
               .title = fmt::format("Train {} on {}", request.model, plan.dataset.name),
               .model = request.model};
  return add(std::move(job), to_json_value(params));
}

Result<api::TrainEstimate> Jobs::estimate(const api::TrainRequest& request) {
  return estimate_training_request(TRY(plan_training(request, store_, datasets_)));
}

std::vector<api::Job> Jobs::list() const {
  std::lock_guard lock(mutex_);
  std::vector<api::Job> out;
  for (auto it = records_.rbegin(); it != records_.rend(); ++it) out.push_back(it->second->job);
  return out;
}

static Result<int64_t> parse_id(const std::string& id) {
  bool is_number = !id.empty() && id.size() < 18 && std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; });
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
  TRY(find(id));
  std::shared_ptr<Record> record;
  bool was_queued = false;
  {
    std::lock_guard lock(mutex_);
    record = records_[std::stoll(id)];
    if (is_over(record->job)) return error(Code::failed_precondition, "job {} is over already: {}", id, record->job.state);
    was_queued = record->job.state == "queued";
    if (was_queued) record->job.state = "cancelled";  // no lane takes it now
  }
  if (was_queued) {
    update(*record, true, [](api::Job& job) {
      job.step = "cancelled before it began";
      job.finished_at = now_seconds();
    });
  } else {
    update(*record, false, [](api::Job& job) { job.step = "stopping"; });
    record->cancel.request_stop();
  }
  return find(id);
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

bool Jobs::uses_model(const std::string& model) const {
  std::lock_guard lock(mutex_);
  return std::any_of(records_.begin(), records_.end(), [&](const auto& item) {
    return item.second->job.model == model && !is_over(item.second->job);
  });
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
  std::string kind = run.job().kind;
  if (kind == "install") return run_install(run);
  if (kind == "import") return run_import(run);
  if (kind == "export") return run_export(run);
  if (kind == "train") return run_train(run);
  return error(Code::unimplemented, "this Hearth knows no jobs of kind {}", kind);
}

void Jobs::run_one(Record& record, const std::stop_token& stop) {
  JobRun run(*this, record, stop);
  run.commit([](api::Job& job) {
    job.state = "running";
    job.step = "starting";
    if (job.started_at == 0) job.started_at = now_seconds();
  });
  spdlog::info("job {} ({}): {}", record.job.id, record.job.kind, record.job.title);
  Result<void> result = run_kind(run);
  bool is_cancelled = record.cancel.stop_requested();
  if (!result && result.error().code == Code::cancelled && !is_cancelled) return;  // the service stops: goes on later
  run.commit([&](api::Job& job) {
    job.state = result ? "done" : is_cancelled ? "cancelled" : "failed";
    job.step = job.state;
    job.seconds_left.reset();
    job.finished_at = now_seconds();
    if (result) job.progress = 1;
    if (!result && !is_cancelled) job.reason = result.error().to_string();
  });
  spdlog::info("job {}: {}{}", record.job.id, record.job.state, record.job.reason.empty() ? "" : ": " + record.job.reason);
}

void Jobs::update(Record& record, bool durable, const std::function<void(api::Job&)>& change) {
  api::Job job;
  bool publish = durable;
  {
    std::lock_guard lock(mutex_);
    change(record.job);
    job = record.job;
    if (now_seconds() - record.published_at >= kSecondsBetweenProgressEvents) publish = true;
    if (publish) record.published_at = now_seconds();
  }
  if (durable)
    if (Result<void> saved = db_.update_job(job); !saved) spdlog::error("job {}: {}", job.id, saved.error().to_string());
  if (publish) events_.publish(job);
}

const api::Job JobRun::job() const {
  std::lock_guard lock(jobs_.mutex_);
  return record_.job;
}
void JobRun::progress(const std::function<void(api::Job&)>& change) const { jobs_.update(record_, false, change); }
void JobRun::commit(const std::function<void(api::Job&)>& change) const { jobs_.update(record_, true, change); }
Result<void> JobRun::installed(const std::string& model, bool was_replaced, bool deploy) const {
  return jobs_.on_installed ? jobs_.on_installed(model, was_replaced, deploy) : Result<void>();
}

}  // namespace hearth
