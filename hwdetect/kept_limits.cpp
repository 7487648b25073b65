#include "hwdetect/kept_limits.h"

#include <algorithm>

#include "base/files.h"

namespace hearth {
namespace {

Reading<double> better(const Reading<double>& a, const Reading<double>& b) {
  if (!a || !b) return a ? a : b;
  return *a.value >= *b.value ? a : b;
}

// A point for a number of threads that only the other has is taken over: a program may be held to a part of the cores.
void improve(std::vector<BandwidthPoint>& points, const std::vector<BandwidthPoint>& others) {
  for (const BandwidthPoint& other : others) {
    auto point =
        std::find_if(points.begin(), points.end(), [&](const auto& p) { return p.n_threads == other.n_threads; });
    if (point == points.end()) {
      points.push_back(other);
      continue;
    }
    point->small_pages_bytes_per_s = better(point->small_pages_bytes_per_s, other.small_pages_bytes_per_s);
    point->huge_pages_bytes_per_s = better(point->huge_pages_bytes_per_s, other.huge_pages_bytes_per_s);
  }
  std::sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.n_threads < b.n_threads; });
}

void improve(FmaPeak& peak, const FmaPeak& other) {
  if (other.isa != peak.isa) return;
  peak.one_thread_flops_per_s = std::max(peak.one_thread_flops_per_s, other.one_thread_flops_per_s);
  peak.all_threads_flops_per_s = std::max(peak.all_threads_flops_per_s, other.all_threads_flops_per_s);
  peak.n_threads = std::max(peak.n_threads, other.n_threads);
}

void improve(DiskSpeed& disk, const DiskSpeed& other) {
  if (other.folder != disk.folder) return;
  disk.sequential_bytes_per_s = better(disk.sequential_bytes_per_s, other.sequential_bytes_per_s);
  disk.random_reads_per_s = better(disk.random_reads_per_s, other.random_reads_per_s);
}

// Quieter first, then newer.
bool tells_more(const MeasuredLimits& a, const MeasuredLimits& b) {
  if (was_idle(a) != was_idle(b)) return was_idle(a);
  if (was_idle(a) || !a.cores_of_others || !b.cores_of_others) return a.measured_at >= b.measured_at;
  return *a.cores_of_others.value <= *b.cores_of_others.value;
}

std::string ago(double seconds) {
  const auto count = [](double n, const char* unit) {
    const auto whole = static_cast<int64_t>(n);
    return fmt::format("{} {}{} ago", whole, unit, whole == 1 ? "" : "s");
  };
  if (seconds < 60) return "just now";
  if (seconds < 3600) return count(seconds / 60, "minute");
  if (seconds < 48 * 3600) return count(seconds / 3600, "hour");
  return count(seconds / 86400, "day");
}

}  // namespace

bool was_idle(const MeasuredLimits& limits) {
  return limits.cores_of_others && *limits.cores_of_others.value < 0.05 * std::max(1, limits.fma.n_threads);
}

MeasuredLimits best_of(const MeasuredLimits& kept, const MeasuredLimits& now) {
  if (kept.machine != now.machine) return now;
  MeasuredLimits out = now;
  improve(out.memory_read, kept.memory_read);
  improve(out.fma, kept.fma);
  improve(out.disk, kept.disk);
  if (tells_more(kept, now)) {
    out.measured_at = kept.measured_at;
    out.took_s = kept.took_s;
    out.cores_of_others = kept.cores_of_others;
  }
  return out;
}

Result<MeasuredLimits> read_kept_limits(const std::filesystem::path& file) {
  MeasuredLimits kept = TRY(from_json<MeasuredLimits>(TRY(parse_json(TRY(read_file(file, 1 << 20))))));
  if (kept.machine != machine_name())
    return error(Code::not_found, "{} was measured on another machine ({})", file.string(), kept.machine);
  return kept;
}

Result<MeasuredLimits> measure_and_keep(const std::filesystem::path& file, const ProbeOptions& options) {
  MeasuredLimits limits = TRY(measure(options));
  if (auto kept = read_kept_limits(file)) limits = best_of(*kept, limits);
  (void)write_file(file, dump_json(to_json_value(limits)));
  return limits;
}

std::string age_in_words(const MeasuredLimits& limits, double now_s) {
  std::string out = "measured " + ago(std::max(0.0, now_s - limits.measured_at));
  if (!was_idle(limits) && limits.cores_of_others)
    out += fmt::format(
        ", while other programs used {:.1f} of {} cores: the figures may be too low. Run hearth hw again when they "
        "rest",
        *limits.cores_of_others.value, limits.fma.n_threads);
  return out;
}

}  // namespace hearth
