// The hardware profile and the measured limits.
#include "appliance/hearthd/hardware.h"

#include "base/files.h"
#include "base/log.h"
#include "hwdetect/profile.h"

namespace hearth {

Hardware::Hardware(std::filesystem::path state_dir) : state_dir_(std::move(state_dir)) {
  Result<HardwareProfile> profile = detect({});
  if (!profile) return;
  cpu_model_ = profile->cpu.model.value.value_or("");
  for (const GpuProfile& gpu : profile->gpus) gpu_names_.push_back(gpu.name.value.value_or(gpu.vendor + " GPU"));
}

Hardware::~Hardware() {
  if (measuring_.joinable()) measuring_.join();
}

std::string Hardware::cpu_model() const { return cpu_model_; }
std::vector<std::string> Hardware::gpu_names() const { return gpu_names_; }

static Result<MeasuredLimits> read_measured(const std::filesystem::path& file) {
  return from_json<MeasuredLimits>(TRY(parse_json(TRY(read_file(file, 1 << 20)))));
}

Result<Json> Hardware::document() {
  HardwareProfile profile = TRY(detect({}));
  if (auto measured = read_measured(file())) {
    profile.measured = std::move(*measured);
  } else {
    measure_if_missing();
  }
  return to_json_value(profile);
}

double Hardware::memory_read_bytes_per_s() {
  if (auto measured = read_measured(file())) return best_memory_read_bytes_per_s(*measured);
  measure_if_missing();
  return 0;
}

void Hardware::measure_if_missing() {
  std::lock_guard lock(mutex_);
  if (measuring_.joinable()) return;  // under way, or done in this life of the service
  measuring_ = std::thread([this] {
    Result<MeasuredLimits> limits = measure({.folder = state_dir_});
    Result<void> saved = limits ? write_file(file(), dump_json(to_json_value(*limits))) : Result<void>(limits.error());
    if (!saved) spdlog::warn("measuring the hardware: {}", saved.error().to_string());
  });
}

}  // namespace hearth
