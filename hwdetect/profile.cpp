#include "hwdetect/profile.h"

#include "hwdetect/detect.h"

namespace hearth {

Result<HardwareProfile> detect(const DetectOptions& options) {
  std::error_code ec;
  if (!std::filesystem::is_directory(options.proc_root, ec) || !std::filesystem::is_directory(options.sys_root, ec))
    return error(Code::failed_precondition, "hardware detection needs {} and {}; mount them and try again",
                 options.proc_root.string(), options.sys_root.string());
  HardwareProfile profile;
  profile.cpu = detail::detect_cpu(options);
  profile.memory = detail::detect_memory(options);
  profile.disks = detail::detect_disks(options);
  auto by_driver = detail::detect_nvml_gpus(options);
  auto by_bus = detail::detect_pci_gpus(options);
  if (!by_driver)
    profile.gpu_reason = by_driver.error().to_string();
  else
    profile.gpus = std::move(*by_driver);
  for (GpuProfile& gpu : by_bus)
    if (!by_driver || gpu.vendor != "NVIDIA") profile.gpus.push_back(std::move(gpu));
  return profile;
}

}  // namespace hearth
