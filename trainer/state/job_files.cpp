// See job_files.h.
#include "trainer/state/job_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <sstream>

#include "base/json.h"

namespace hearth::train {

namespace fs = std::filesystem;
constexpr uint64_t kMaxMetricsBytes = uint64_t{4} << 30;

Result<JobFiles> JobFiles::open(const fs::path& folder) {
  TRY(make_folders(folder));
  auto lock = LockFile::acquire(folder / "lock");
  if (!lock && lock.error().code == Code::failed_precondition)
    return error(Code::unavailable, "{} is in use by another training process", folder.string());
  return JobFiles(folder, TRY(std::move(lock)));
}

Result<void> JobFiles::keep_metrics_up_to(int64_t step) {
  const fs::path path = folder_ / "metrics.jsonl";
  std::string kept;
  std::error_code ec;
  if (fs::exists(path, ec)) {
    std::istringstream lines(TRY(read_file(path, kMaxMetricsBytes)));
    for (std::string line; std::getline(lines, line);) {
      auto json = parse_json(line);
      if (!json || json_get_or<int64_t>(*json, "step", -1).value_or(-1) < 0) continue;  // half a line
      if (json_get<int64_t>(*json, "step").value_or(0) <= step) kept += line + '\n';
    }
  }
  TRY(write_file(path, kept));
  metrics_ = TRY(open_file(path, O_WRONLY | O_APPEND));
  return {};
}

Result<void> JobFiles::append(const MetricPoint& point) {
  const std::string line = dump_json(to_json_value(point)) + '\n';
  return write_all(metrics_.get(), std::as_bytes(std::span(line)), folder_ / "metrics.jsonl");
}

Result<void> JobFiles::sync_metrics() {
  if (::fsync(metrics_.get()) != 0) return errno_error("flush", folder_ / "metrics.jsonl", errno);
  return {};
}

Result<void> JobFiles::write_status(const RunStatus& status, bool now) {
  const auto time = std::chrono::steady_clock::now();
  if (!now && time - last_status_ < std::chrono::seconds(1)) return {};
  last_status_ = time;
  return write_file(folder_ / "status.json", dump_json(to_json_value(status), 2));
}

Result<void> JobFiles::write_samples(const std::vector<BeforeAfter>& samples) {
  std::string text;
  for (const BeforeAfter& s : samples) text += dump_json(to_json_value(s)) + '\n';
  return write_file(folder_ / "samples.jsonl", text);
}

Result<std::vector<BeforeAfter>> JobFiles::read_samples() const {
  std::vector<BeforeAfter> out;
  std::error_code ec;
  if (!fs::exists(folder_ / "samples.jsonl", ec)) return out;
  std::istringstream lines(TRY(read_file(folder_ / "samples.jsonl")));
  for (std::string line; std::getline(lines, line);) out.push_back(TRY(from_json<BeforeAfter>(TRY(parse_json(line)))));
  return out;
}

Result<void> JobFiles::write_summary(const RunResult& result, const std::string& request) {
  Json json = to_json_value(result);
  json["request"] = request;
  return write_file(folder_ / "summary.json", dump_json(json, 2));
}

Result<std::optional<RunResult>> JobFiles::read_summary(const std::string& request) const {
  const std::optional<RunResult> unfinished;
  auto text = read_file(folder_ / "summary.json");
  if (!text) return unfinished;
  auto json = parse_json(*text);
  if (!json) return unfinished;
  auto result = from_json<RunResult>(*json);
  if (!result) return unfinished;
  if (json->value("request", "") != request)
    return error(
        Code::failed_precondition,
        "{} holds the finished run of another recipe or of other data; choose another output folder, or remove it",
        folder_.string());
  return std::optional(std::move(*result));
}

}  // namespace hearth::train
