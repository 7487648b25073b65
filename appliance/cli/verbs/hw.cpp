// hearth hw: what this box is, read and measured now.
#include <unistd.h>

#include <chrono>

#include "appliance/cli/verbs.h"
#include "hwdetect/kept_limits.h"
#include "hwdetect/profile.h"

namespace hearth::cli {
namespace {

template <class T>
std::string text_of(const Reading<T>& reading, const std::function<std::string(const T&)>& format) {
  return reading.value ? format(*reading.value) : "unknown (" + reading.reason + ")";
}

std::string plain(const std::string& text) {
  return text;
}
std::string number(const int& n) {
  return std::to_string(n);
}
std::string bytes(const uint64_t& n) {
  return human_bytes(n);
}

std::string describe_gpus(const HardwareProfile& profile) {
  std::string out;
  for (const GpuProfile& gpu : profile.gpus)
    out += fmt::format("GPU       {}, memory {}\n", text_of<std::string>(gpu.name, plain),
                       text_of<uint64_t>(gpu.memory_bytes, bytes));
  return out.empty() ? fmt::format("GPU       none ({})\n", profile.gpu_reason) : out;
}

std::string describe_limits(const MeasuredLimits& limits) {
  std::string out = fmt::format("measured  memory read {}/s, arithmetic {:.0f} GFLOP/s ({}, {} threads)\n",
                                human_bytes(static_cast<uint64_t>(best_memory_read_bytes_per_s(limits))),
                                limits.fma.all_threads_flops_per_s / 1e9, limits.fma.isa, limits.fma.n_threads);
  if (limits.disk.sequential_bytes_per_s.value)
    out += fmt::format("          disk read {}/s in order\n",
                       human_bytes(static_cast<uint64_t>(*limits.disk.sequential_bytes_per_s.value)));
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  return out + "          " + age_in_words(limits, now) + "\n";
}

std::string describe(const HardwareProfile& profile) {
  std::string out = fmt::format("CPU       {}, {} cores, {} threads\n", text_of<std::string>(profile.cpu.model, plain),
                                text_of<int>(profile.cpu.n_cores, number), text_of<int>(profile.cpu.n_threads, number));
  out += fmt::format("memory    {}, available {}\n", text_of<uint64_t>(profile.memory.total_bytes, bytes),
                     text_of<uint64_t>(profile.memory.available_bytes, bytes));
  out += describe_gpus(profile);
  for (const DiskProfile& disk : profile.disks)
    out += fmt::format("disk      {} ({}), {}\n", disk.name, disk.kind, text_of<uint64_t>(disk.size_bytes, bytes));
  if (profile.measured) out += describe_limits(*profile.measured);
  return out;
}

// Measured now; the box's own folder remembers the best of all measurements, where this user may write it.
Result<MeasuredLimits> limits_now(const std::filesystem::path& state) {
  if (::access(state.c_str(), W_OK) == 0) return measure_and_keep(state / "measured.json", {.folder = state});
  std::error_code failed;
  const MeasuredLimits now = TRY(hearth::measure({.folder = std::filesystem::temp_directory_path(failed)}));
  auto kept = read_kept_limits(state / "measured.json");
  return kept ? best_of(*kept, now) : now;
}

}  // namespace

void declare_hw(Command& command) {
  auto no_measure = std::make_shared<bool>(false);
  command.flag("--no-measure", *no_measure,
               "Do not measure (it takes under 3 seconds): show what is kept of earlier measurements");
  command.on_run([=](const Cli& cli) -> Result<void> {
    HardwareProfile profile = TRY(detect({}));
    if (!*no_measure)
      profile.measured = TRY(limits_now(cli.state.root));
    else if (auto kept = read_kept_limits(cli.state.root / "measured.json"))
      profile.measured = std::move(*kept);
    cli.print(to_json_value(profile), [&] { return describe(profile); });
    return {};
  });
}

}  // namespace hearth::cli
