// HardwareProfile: what this box is. detect() reads it in a few milliseconds; what has to be measured is in
// hwdetect/probe.h, takes seconds, and is put into `measured` by whoever ran it.
//
//   HardwareProfile profile = TRY(detect({}));
//   profile.measured = TRY(measure({.folder = state_dir}));
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "hwdetect/probe.h"
#include "hwdetect/reading.h"

namespace hearth {

struct CacheLevel {
  int level = 0;
  std::string kind;  // data | instruction | unified
  uint64_t size_bytes = 0;
  int n_instances = 0;
  static constexpr auto kFields = std::tuple{
      field("level", &CacheLevel::level, "1, 2, 3, ..."),
      field("kind", &CacheLevel::kind, "data | instruction | unified"),
      field("size_bytes", &CacheLevel::size_bytes, "size of one instance"),
      field("n_instances", &CacheLevel::n_instances, "how many there are"),
  };
};

struct NumaNode {
  int id = 0;
  std::string cpus;  // as in "0-15,32-47"
  Reading<uint64_t> ram_bytes;
  static constexpr auto kFields = std::tuple{
      field("id", &NumaNode::id, "number of the node"),
      field("cpus", &NumaNode::cpus, "its logical CPUs, for example 0-15,32-47"),
      field("ram_bytes", &NumaNode::ram_bytes, "memory attached to it"),
  };
};

struct CpuProfile {
  Reading<std::string> model;
  std::vector<std::string> isa;  // the extensions that kernels may use
  Reading<int> n_packages, n_cores, n_threads;
  std::vector<CacheLevel> caches;
  std::vector<NumaNode> numa_nodes;
  std::string topology_reason;  // why caches and numa_nodes are empty, if they are
  static constexpr auto kFields = std::tuple{
      field("model", &CpuProfile::model, "model name"),
      field("isa", &CpuProfile::isa, "instruction set extensions that kernels may use"),
      field("n_packages", &CpuProfile::n_packages, "sockets"),
      field("n_cores", &CpuProfile::n_cores, "physical cores"),
      field("n_threads", &CpuProfile::n_threads, "logical CPUs"),
      field("caches", &CpuProfile::caches, "caches, nearest first"),
      field("numa_nodes", &CpuProfile::numa_nodes, "memory nodes"),
      field("topology_reason", &CpuProfile::topology_reason, "why caches and nodes are unknown; empty when known"),
  };
};

struct MemoryProfile {
  Reading<uint64_t> total_bytes, available_bytes, limit_bytes;
  Reading<std::string> transparent_huge_pages;
  static constexpr auto kFields = std::tuple{
      field("total_bytes", &MemoryProfile::total_bytes, "memory of the box"),
      field("available_bytes", &MemoryProfile::available_bytes, "usable now without swapping"),
      field("limit_bytes", &MemoryProfile::limit_bytes, "what this process's control group may use"),
      field("transparent_huge_pages", &MemoryProfile::transparent_huge_pages, "always | madvise | never"),
  };
};

struct GpuProfile {
  std::string source;  // nvml | pci
  std::string vendor;  // NVIDIA | AMD | Intel
  std::string pci_address;
  Reading<std::string> name, driver, compute_capability;
  Reading<uint64_t> memory_bytes, memory_free_bytes;
  Reading<int> pcie_generation, pcie_width, numa_node;
  static constexpr auto kFields = std::tuple{
      field("source", &GpuProfile::source, "nvml | pci: who told"),
      field("vendor", &GpuProfile::vendor, "NVIDIA | AMD | Intel"),
      field("pci_address", &GpuProfile::pci_address, "domain:bus:device.function"),
      field("name", &GpuProfile::name, "product name"),
      field("driver", &GpuProfile::driver, "driver, with its version where known"),
      field("compute_capability", &GpuProfile::compute_capability, "for example 9.0; NVIDIA only"),
      field("memory_bytes", &GpuProfile::memory_bytes, "device memory"),
      field("memory_free_bytes", &GpuProfile::memory_free_bytes, "of it free now"),
      field("pcie_generation", &GpuProfile::pcie_generation, "highest that device and slot can do"),
      field("pcie_width", &GpuProfile::pcie_width, "lanes"),
      field("numa_node", &GpuProfile::numa_node, "memory node that its slot is attached to"),
  };
};

struct DiskHealth {
  int percentage_used = 0;  // wear: 100 is the maker's rated life, more is possible
  int available_spare_percent = 0;
  uint64_t media_errors = 0;
  uint64_t written_bytes = 0;
  int temperature_celsius = 0;
  bool critical_warning = false;
  static constexpr auto kFields = std::tuple{
      field("percentage_used", &DiskHealth::percentage_used, "wear; 100 is the rated life"),
      field("available_spare_percent", &DiskHealth::available_spare_percent, "spare blocks left"),
      field("media_errors", &DiskHealth::media_errors, "unrecovered errors so far"),
      field("written_bytes", &DiskHealth::written_bytes, "written by the host so far"),
      field("temperature_celsius", &DiskHealth::temperature_celsius, "now"),
      field("critical_warning", &DiskHealth::critical_warning, "the device asks for attention"),
  };
};

struct DiskProfile {
  std::string name;  // as in /sys/block
  std::string kind;  // nvme | ssd | hdd | virtual | unknown
  Reading<std::string> model;
  Reading<uint64_t> size_bytes;
  Reading<bool> removable;
  Reading<int> numa_node;
  Reading<DiskHealth> health;
  static constexpr auto kFields = std::tuple{
      field("name", &DiskProfile::name, "block device"),
      field("kind", &DiskProfile::kind, "nvme | ssd | hdd | virtual | unknown"),
      field("model", &DiskProfile::model, "product name"),
      field("size_bytes", &DiskProfile::size_bytes, "capacity"),
      field("removable", &DiskProfile::removable, "can be taken out"),
      field("numa_node", &DiskProfile::numa_node, "memory node that its slot is attached to"),
      field("health", &DiskProfile::health, "the device's own health report"),
  };
};

struct HardwareProfile {
  CpuProfile cpu;
  MemoryProfile memory;
  std::vector<GpuProfile> gpus;
  std::string gpu_reason;  // why `gpus` comes from PCI or is empty
  std::vector<DiskProfile> disks;
  std::optional<MeasuredLimits> measured;
  static constexpr auto kFields = std::tuple{
      field("cpu", &HardwareProfile::cpu, "processors"),
      field("memory", &HardwareProfile::memory, "main memory"),
      field("gpus", &HardwareProfile::gpus, "accelerators"),
      field("gpu_reason", &HardwareProfile::gpu_reason, "why NVML told nothing; empty when it did"),
      field("disks", &HardwareProfile::disks, "block devices that hold data"),
      field("measured", &HardwareProfile::measured, "measured limits; null when nobody has measured yet"),
  };
};

// Where to look; tests point these at a made-up tree.
struct DetectOptions {
  std::filesystem::path sys_root = "/sys";
  std::filesystem::path proc_root = "/proc";
  std::filesystem::path dev_root = "/dev";
  std::string nvml_library = "libnvidia-ml.so.1";
  bool live_topology = true;  // hwloc looks at the running machine, whatever sys_root says
};

// Fails only when /proc and /sys cannot be read at all; everything else is a Reading with a reason.
Result<HardwareProfile> detect(const DetectOptions& options);

}  // namespace hearth
