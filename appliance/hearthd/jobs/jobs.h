// Jobs: long work that outlives the client that asked for it and the service that does it. Two lanes, one job each at a
// time: the store (install, import, export), done in this process, and training, done by hearth-trainer.
//
// A job is in hearth.db before its creator hears of it. Jobs that were under way when the service ended are taken up
// again at the next start: store jobs run again (they change nothing twice), a trainer resumes from its last
// checkpoint.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "appliance/hearthd/datasets.h"
#include "appliance/hearthd/event_bus.h"
#include "appliance/hearthd/service_db.h"
#include "appliance/state/state_dir.h"
#include "model_store/store.h"

namespace hearth {

struct JobOptions {
  std::filesystem::path trainer;      // the hearth-trainer program
  std::filesystem::path signing_key;  // for exported packs; empty: packs keep the signature they came with
  std::chrono::milliseconds trainer_grace{20'000};  // to write a checkpoint when asked to stop
  std::chrono::milliseconds first_back_off{1'000}, longest_back_off{60'000};
  int max_restarts_without_progress = 3;  // of a trainer
  // Ends of the service while one job runs, before the job is given up. Jobs of the store run inside it; fewer than
  // systemd allows restarts. A training is only watched, and needs its time to come further.
  int max_interrupted_store_jobs = 10, max_interrupted_trainings = 20;
  std::chrono::milliseconds estimate_limit{90'000};
};

class Jobs {
 public:
  Jobs(StateDir state, JobOptions options, ServiceDb& db, store::Store& store, Datasets& datasets, EventBus& events);
  ~Jobs();

  Result<void> start();  // and takes up what was under way
  void request_stop();   // asks the lanes to end, and returns at once
  void stop();           // jobs under way are queued again

  Result<api::Job> install(const api::InstallRequest& request);
  // A pack that came with the box: offered once, so that a model which its owner removed does not come back.
  Result<std::optional<api::Job>> install_bundled(const api::InstallRequest& request);
  Result<api::Job> import(api::ImportRequest request);
  Result<api::Job> export_pack(api::ExportRequest request);
  Result<api::Job> train(api::TrainRequest request);
  // By a short-lived hearth-trainer, one at a time. Stopped by `stop`.
  Result<api::TrainEstimate> estimate(api::TrainRequest request, const std::stop_token& stop = {});

  std::vector<api::Job> list() const;  // newest first
  Result<api::Job> find(const std::string& id) const;
  Result<api::Job> cancel(const std::string& id);
  Result<void> remove(const std::string& id);  // with its files; failed_precondition while it is not over
  Result<std::vector<api::MetricPoint>> metrics(const std::string& id) const;
  Result<std::vector<api::BeforeAfter>> samples(const std::string& id) const;
  bool uses_dataset(const std::string& dataset) const;  // a job that is not over
  // Removes what jobs that are over keep of a dataset's texts: their held-out questions and answers.
  Result<void> forget_texts_of(const std::string& dataset);
  bool uses_model(const std::string& model) const;

  // Set before start(). Called on a lane's thread.
  std::function<Result<void>(const std::string& model, bool was_replaced, bool deploy)> on_installed;

 private:
  friend class JobRun;
  struct Record;
  enum class Lane { store, train };

  using Lock = std::unique_lock<std::mutex>;
  Result<api::Job> add(const Lock&, api::Job job, Json params, const std::string& bundled_digest = {});
  void take_up_again(Record& record);
  void remove_stray_folders();
  bool makes_model(const std::string& name) const;                  // a job that is not over will; with mutex_ held
  Result<void> check_not_replaced(const std::string& model) const;  // with mutex_ held
  void run_lane(Lane lane, const std::stop_token& stop);
  std::shared_ptr<Record> next(Lane lane, const std::stop_token& stop);
  void run_one(Record& record, const std::stop_token& stop);
  void update(Record& record, bool durable, const std::function<void(api::Job&)>& change);
  void update(const Lock&, Record& record, bool durable, const std::function<void(api::Job&)>& change);

  const StateDir state_;
  const JobOptions options_;
  ServiceDb& db_;
  store::Store& store_;
  Datasets& datasets_;
  EventBus& events_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<int64_t, std::shared_ptr<Record>> records_;  // changes with the rows in hearth.db
  std::timed_mutex estimating_;
  std::jthread store_lane_, train_lane_;
};

}  // namespace hearth
