#include "appliance/hearthd/hardware.h"

#include <chrono>
#include <condition_variable>

#include "base/log.h"
#include "hwdetect/busy.h"
#include "hwdetect/kept_limits.h"
#include "hwdetect/profile.h"

namespace hearth {

Hardware::Hardware(std::filesystem::path state_dir) : state_dir_(std::move(state_dir)) {
  Result<HardwareProfile> profile = detect({});
  if (!profile) return;
  cpu_model_ = profile->cpu.model.value.value_or("");
  for (const GpuProfile& gpu : profile->gpus) gpu_names_.push_back(gpu.name.value.value_or(gpu.vendor + " GPU"));
}

std::string Hardware::cpu_model() const {
  return cpu_model_;
}
std::vector<std::string> Hardware::gpu_names() const {
  return gpu_names_;
}

// The limits as far as they are known; without any, or with none of a quiet moment, they are measured meanwhile.
static std::optional<MeasuredLimits> known_limits(Hardware& hardware, const std::filesystem::path& file) {
  auto kept = read_kept_limits(file);
  if (!kept || !was_idle(*kept)) hardware.measure_if_needed();
  return kept ? std::optional(std::move(*kept)) : std::nullopt;
}

Result<Json> Hardware::document() {
  HardwareProfile profile = TRY(detect({}));
  profile.measured = known_limits(*this, file());
  return to_json_value(profile);
}

double Hardware::memory_read_bytes_per_s() {
  const auto limits = known_limits(*this, file());
  return limits ? best_memory_read_bytes_per_s(*limits) : 0;
}

void Hardware::measure_if_needed() {
  std::lock_guard lock(mutex_);
  if (measuring_.joinable()) return;  // under way, or done in this life of the service
  measuring_ = std::jthread([this](const std::stop_token& stop) { measure_until_idle(stop); });
}

// Sleeps, or less when the service stops.
static void rest(const std::stop_token& stop, std::chrono::milliseconds time) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(lock, stop, time, [] { return false; });
}

static void wait_for_a_quiet_moment(const std::stop_token& stop) {
  constexpr double kWindow_s = 0.5, kQuietCores = 0.1;
  constexpr int kWindows = 120;
  for (int i = 0; i < kWindows && !stop.stop_requested(); ++i) {
    const auto before = read_cpu_times();
    rest(stop, std::chrono::milliseconds(static_cast<int>(kWindow_s * 1000)));
    const auto after = read_cpu_times();
    if (!before || !after || cores_of_others(*before, *after, kWindow_s) < kQuietCores) return;
  }
}

void Hardware::measure_until_idle(const std::stop_token& stop) {
  while (true) {
    wait_for_a_quiet_moment(stop);
    if (stop.stop_requested()) return;
    Result<MeasuredLimits> limits = measure_and_keep(file(), {.folder = state_dir_});
    if (!limits) return spdlog::warn("measuring the hardware: {}", limits.error().to_string());
    if (was_idle(*limits)) return;
    rest(stop, std::chrono::minutes(10));
  }
}

}  // namespace hearth
