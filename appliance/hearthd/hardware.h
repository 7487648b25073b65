// What the API tells of the hardware: hwdetect's profile, and the limits that were measured once on this box and are
// kept in <state>/measured.json (disposable). Any thread.
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
  ~Hardware();

  std::string cpu_model() const;
  std::vector<std::string> gpu_names() const;
  Result<Json> document();                 // the HardwareProfile as it is now
  double memory_read_bytes_per_s();        // 0: not measured yet
  // Measures in the background, once for the life of the box; takes under 3 seconds.
  void measure_if_missing();

 private:
  std::filesystem::path file() const { return state_dir_ / "measured.json"; }

  const std::filesystem::path state_dir_;
  std::mutex mutex_;
  std::string cpu_model_;
  std::vector<std::string> gpu_names_;
  std::thread measuring_;
};

}  // namespace hearth
