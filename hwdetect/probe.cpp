#include "hwdetect/probe.h"

#include <algorithm>
#include <chrono>

#include "hwdetect/busy.h"
#include "hwdetect/detect.h"
#include "hwdetect/team.h"

namespace hearth {

std::string machine_name() {
  const CpuProfile cpu = detail::detect_cpu({.live_topology = false});
  return fmt::format("{}, {} processors", cpu.model.value.value_or("unknown"), cpu.n_threads.value.value_or(0));
}

static Reading<double> others_since(const Result<CpuTimes>& before, double seconds) {
  const auto after = read_cpu_times();
  if (!before || !after) return Reading<double>::missing((before ? after : before).error().to_string());
  return Reading<double>::of(cores_of_others(*before, *after, seconds));
}

Result<MeasuredLimits> measure(const ProbeOptions& options) {
  std::error_code ec;
  if (!std::filesystem::is_directory(options.folder, ec))
    return error(Code::invalid_argument, "the disk probe needs an existing folder for its temporary file, got \"{}\"",
                 options.folder.string());
  const auto start = detail::Clock::now();
  const auto before = read_cpu_times();
  MeasuredLimits limits;
  limits.memory_read = measure_memory_read(options);
  limits.fma = measure_fma(options);
  limits.disk = measure_disk(options);
  limits.measured_at = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  limits.took_s = detail::seconds_since(start);
  limits.cores_of_others = others_since(before, limits.took_s);
  limits.machine = machine_name();
  return limits;
}

double best_memory_read_bytes_per_s(const MeasuredLimits& limits) {
  double best = 0;
  for (const BandwidthPoint& point : limits.memory_read)
    best = std::max(
        {best, point.small_pages_bytes_per_s.value.value_or(0), point.huge_pages_bytes_per_s.value.value_or(0)});
  return best;
}

}  // namespace hearth
