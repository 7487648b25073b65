// What the API tells of the hardware: hwdetect's profile, and the limits that were measured on this box and are kept in
// <state>/measured.json (disposable). Any thread.
#pragma once

#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/json.h"

namespace hearth {

class Hardware {
 public:
  explicit Hardware(std::filesystem::path state_dir);
  std::string cpu_model() const;
  std::vector<std::string> gpu_names() const;
  Result<Json> document();           // the HardwareProfile as it is now
  double memory_read_bytes_per_s();  // 0: not measured yet
  // In the background: waits for a quiet moment, a minute at most, and measures in under 3 seconds. As long as other
  // programs only ever let it measure beside them, it tries again every ten minutes.
  void measure_if_needed();

 private:
  std::filesystem::path file() const { return state_dir_ / "measured.json"; }
  void measure_until_idle(const std::stop_token& stop);

  const std::filesystem::path state_dir_;
  std::mutex mutex_;
  std::string cpu_model_;
  std::vector<std::string> gpu_names_;
  std::jthread measuring_;
};

}  // namespace hearth
