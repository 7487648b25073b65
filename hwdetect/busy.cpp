#include "hwdetect/busy.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/files.h"

namespace hearth {
namespace {

double seconds_of(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
}

double used_by_this_process() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

}  // namespace

// "cpu  user nice system idle iowait irq softirq steal ...", in clock ticks; guest time is part of user time.
Result<CpuTimes> read_cpu_times(const std::filesystem::path& proc) {
  const std::string text = TRY(read_file(proc / "stat", 1 << 20));
  unsigned long long user = 0, nice = 0, system = 0, irq = 0, softirq = 0, steal = 0;
  if (std::sscanf(text.c_str(), "cpu %llu %llu %llu %*u %*u %llu %llu %llu", &user, &nice, &system, &irq, &softirq,
                  &steal) < 3)
    return error(Code::unavailable, "{} does not begin with the processors' times", (proc / "stat").string());
  const auto ticks = static_cast<double>(user + nice + system + irq + softirq + steal);
  return CpuTimes{ticks / static_cast<double>(::sysconf(_SC_CLK_TCK)), used_by_this_process()};
}

double cores_of_others(const CpuTimes& before, const CpuTimes& after, double seconds) {
  if (seconds <= 0) return 0;
  const double others = (after.all_s - before.all_s) - (after.ours_s - before.ours_s);
  return std::max(0.0, others / seconds);
}

}  // namespace hearth
