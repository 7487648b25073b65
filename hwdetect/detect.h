// The parts of detect(), one file each. Internal to hwdetect/; others include hwdetect/profile.h.
#pragma once

#include <string>
#include <vector>

#include "hwdetect/profile.h"

namespace hearth::detail {

CpuProfile detect_cpu(const DetectOptions& options);
MemoryProfile detect_memory(const DetectOptions& options);
std::vector<DiskProfile> detect_disks(const DetectOptions& options);
std::vector<GpuProfile> detect_pci_gpus(const DetectOptions& options);
Result<std::vector<GpuProfile>> detect_nvml_gpus(const DetectOptions& options);  // an error says why NVML told nothing

// Caches, memory nodes and package/core counts by hwloc; without hwloc everything stays empty with a reason.
void read_topology(CpuProfile& cpu);

// The NVMe SMART log of dev_root/name, or why it could not be read.
Reading<DiskHealth> read_nvme_health(const std::filesystem::path& controller);

// A node number from sysfs; the kernel's -1 means that the platform does not say.
Reading<int> read_numa_node(const std::filesystem::path& device);

}  // namespace hearth::detail
