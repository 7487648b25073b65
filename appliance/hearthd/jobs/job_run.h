// One job being done: what the kinds of jobs share. The functions below do one job each and return when it is over.
#pragma once

#include <stop_token>

#include "appliance/hearthd/jobs/jobs.h"

namespace hearth {

inline bool is_over(const api::Job& job) {
  return job.state == "done" || job.state == "failed" || job.state == "cancelled";
}

struct Jobs::Record {
  api::Job job;
  Json params;
  std::stop_source cancel;
  std::string replaces;     // the model that a running install replaces: nothing else may begin to use it
  double published_at = 0;  // last progress event
};

class JobRun {
 public:
  JobRun(Jobs& jobs, Jobs::Record& record, std::stop_token service_stop)
      : jobs_(jobs), record_(record), service_stop_(std::move(service_stop)) {}

  const api::Job job() const;  // a copy
  const Json& params() const { return record_.params; }
  std::stop_token cancelled() const { return record_.cancel.get_token(); }
  const std::stop_token& service_stops() const { return service_stop_; }
  const StateDir& state() const { return jobs_.state_; }
  const JobOptions& options() const { return jobs_.options_; }
  store::Store& store() const { return jobs_.store_; }
  EventBus& events() const { return jobs_.events_; }
  std::filesystem::path folder() const { return jobs_.state_.job(record_.job.id); }

  // Changes the job in memory; events follow at most twice a second.
  void progress(const std::function<void(api::Job&)>& change) const;
  // Changes it in hearth.db too.
  void commit(const std::function<void(api::Job&)>& change) const;
  // Why the job is about to fail, for programs; the Error says it to people.
  void because(const Phrase& cause) const;
  // Before a model enters the store under a name: not one that a training will need at its end. Where it takes another
  // one's place: failed_precondition while a job works with that, and from then on no job may start to.
  Result<void> claim_name(const std::string& model, bool is_replacement) const;
  Result<void> installed(const std::string& model, bool was_replaced, bool deploy) const;

 private:
  Jobs& jobs_;
  Jobs::Record& record_;
  std::stop_token service_stop_;
};

// An Error of code cancelled: by the user when run.cancelled(), else the service stops and the job goes on later.
Result<void> run_install(const JobRun& run);
Result<void> run_import(const JobRun& run);
Result<void> run_export(const JobRun& run);
Result<void> run_train(const JobRun& run);

// How far the trainer of a job folder has got, 0 to 1, by its own account; 0 when it has not said.
double trained_so_far(const std::filesystem::path& job_folder);

// What run_train needs to know, made when the job is created.
struct TrainParams {
  api::TrainRequest request;
  std::string recipe;  // TOML
  std::string result_name;
  std::string result_display_name = {}, adapter_name = {};
  static constexpr auto kFields = std::tuple{
      field("request", &TrainParams::request, "what was asked"),
      field("recipe", &TrainParams::recipe, "the recipe, TOML"),
      field("result_name", &TrainParams::result_name, "name of the result in the store"),
      field("result_display_name", &TrainParams::result_display_name, "its name for people; empty: the same"),
      field("adapter_name", &TrainParams::adapter_name, "of the adapter beside it; empty: there is none beside it"),
  };
};

struct InstallParams {
  api::InstallRequest request;
  bool bundled = false;
  static constexpr auto kFields = std::tuple{
      field("request", &InstallParams::request, "what was asked"),
      field("bundled", &InstallParams::bundled, "the model came with the box"),
  };
};

}  // namespace hearth
