// What the service must still know after a power cut, in hearth.db: desired deployments, jobs, datasets, and which
// bundled packs were offered already. A function returns after the commit is durable. Any thread.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>

#include "appliance/api/types.h"

namespace SQLite {
class Database;
}

namespace hearth {

// A job and what it was asked to do (`params`: the request's JSON, with what else its kind needs).
struct JobRow {
  api::Job job;
  Json params;
};

class ServiceDb {
 public:
  static Result<std::unique_ptr<ServiceDb>> open(const std::filesystem::path& file);
  ~ServiceDb();

  Result<std::vector<api::DeployRequest>> deployments();
  Result<void> put_deployment(const api::DeployRequest& request);
  Result<void> remove_deployment(const std::string& model);

  Result<std::vector<JobRow>> jobs();  // oldest first
  Result<std::string> add_job(JobRow& row);  // sets and returns job.id
  Result<void> update_job(const api::Job& job);
  Result<void> remove_job(const std::string& id);

  Result<std::vector<api::Dataset>> datasets();
  Result<std::string> next_dataset_id();
  Result<void> put_dataset(const api::Dataset& dataset);
  Result<void> remove_dataset(const std::string& id);

  Result<bool> bundled_pack_seen(const std::string& digest);
  // In one transaction with the job that installs it.
  Result<std::string> add_bundled_pack(const std::string& digest, JobRow& row);

 private:
  explicit ServiceDb(std::unique_ptr<SQLite::Database> db);
  template <class F>
  auto guarded(std::string_view doing, F f) -> Result<decltype(f())>;

  std::mutex mutex_;
  std::unique_ptr<SQLite::Database> db_;
};

}  // namespace hearth
