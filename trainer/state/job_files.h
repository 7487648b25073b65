// The files of a job that others read while it runs: metrics.jsonl, status.json, samples.jsonl, summary.json.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/files.h"
#include "trainer/run.h"

namespace hearth::train {

class JobFiles {
 public:
  // Makes the folder and takes its lock; unavailable when another process trains there.
  static Result<JobFiles> open(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const { return folder_; }

  // Drops metrics after `step`: they will be written again by the resumed run.
  Result<void> keep_metrics_up_to(int64_t step);
  Result<void> append(const MetricPoint& point);
  Result<void> sync_metrics();  // with each checkpoint: what it counts is durable before it is

  // At most one write a second, unless `now`.
  Result<void> write_status(const RunStatus& status, bool now);

  Result<void> write_samples(const std::vector<BeforeAfter>& samples);
  Result<std::vector<BeforeAfter>> read_samples() const;  // empty when there are none
  // `request` identifies what was asked for. Read: nothing while the run is not finished; failed_precondition when it
  // was the answer to another request.
  Result<void> write_summary(const RunResult& result, const std::string& request);
  Result<std::optional<RunResult>> read_summary(const std::string& request) const;

 private:
  JobFiles(std::filesystem::path folder, LockFile lock) : folder_(std::move(folder)), lock_(std::move(lock)) {}
  std::filesystem::path folder_;
  LockFile lock_;
  Fd metrics_;
  std::chrono::steady_clock::time_point last_status_{};
};

}  // namespace hearth::train
