// GPUs as the PCI bus shows them: display and 3D controllers and accelerators of the makers whose devices compute.
// The bus knows no product names and, but for AMD's driver, no memory sizes: those readings say so.
#include <algorithm>

#include "hwdetect/detect.h"
#include "hwdetect/gpu.h"
#include "hwdetect/sysfs.h"

namespace hearth::detail {
namespace fs = std::filesystem;
namespace {

constexpr uint64_t kDisplayClass = 0x03, kAcceleratorClass = 0x12;  // the top byte of a PCI class

const char* vendor_name(uint64_t id) {
  switch (id) {
    case 0x10de:
      return "NVIDIA";
    case 0x1002:
      return "AMD";
    case 0x8086:
      return "Intel";
    default:
      return nullptr;
  }
}

// "16.0 GT/s PCIe" → 4. A generation is known by its transfer rate.
Reading<int> read_generation(const fs::path& device) {
  auto text = read_sysfs_text(device / "max_link_speed");
  if (!text) return Reading<int>::missing(text.reason);
  constexpr std::pair<std::string_view, int> kRates[] = {{"2.5 ", 1}, {"5.0 ", 2},  {"5 ", 2},    {"8.0 ", 3},
                                                         {"8 ", 3},   {"16.0 ", 4}, {"32.0 ", 5}, {"64.0 ", 6}};
  for (auto [rate, generation] : kRates)
    if (text.value->starts_with(rate)) return Reading<int>::of(generation);
  return Reading<int>::missing(fmt::format("unknown link speed \"{}\"", *text.value));
}

Reading<int> read_width(const fs::path& device) {
  auto lanes = read_sysfs_number(device / "max_link_width");
  if (!lanes) return Reading<int>::missing(lanes.reason);
  if (*lanes.value == 0 || *lanes.value > 32) return Reading<int>::missing("not on a PCI Express link");
  return Reading<int>::of(static_cast<int>(*lanes.value));
}

GpuProfile read_gpu(const std::string& address, const char* vendor, const fs::path& device) {
  GpuProfile gpu;
  gpu.source = "pci";
  gpu.vendor = vendor;
  gpu.pci_address = address;
  gpu.name = Reading<std::string>::missing("the PCI bus knows numbers, not names; the maker's driver is not loaded");
  gpu.driver = read_link_name(device / "driver");
  gpu.compute_capability = Reading<std::string>::missing("told by NVIDIA's driver only");
  gpu.memory_bytes = read_sysfs_number(device / "mem_info_vram_total");
  gpu.memory_free_bytes = Reading<uint64_t>::missing("told by the maker's driver only");
  gpu.pcie_generation = read_generation(device);
  gpu.pcie_width = read_width(device);
  gpu.numa_node = read_numa_node(device);
  return gpu;
}

}  // namespace

std::vector<GpuProfile> detect_pci_gpus(const DetectOptions& options) {
  std::vector<GpuProfile> gpus;
  const fs::path bus = options.sys_root / "bus/pci/devices";
  for (const std::string& address : list_folder(bus)) {
    const fs::path device = bus / address;
    auto class_code = read_sysfs_number(device / "class"), vendor = read_sysfs_number(device / "vendor");
    if (!class_code || !vendor) continue;
    const uint64_t top = *class_code.value >> 16;
    const char* maker = vendor_name(*vendor.value);
    if (maker && (top == kDisplayClass || top == kAcceleratorClass)) gpus.push_back(read_gpu(address, maker, device));
  }
  return gpus;
}

}  // namespace hearth::detail

namespace hearth {

bool has_nvidia_gpu(const DetectOptions& options) {
  const std::vector<GpuProfile> gpus = detail::detect_pci_gpus(options);
  return std::any_of(gpus.begin(), gpus.end(), [](const GpuProfile& gpu) { return gpu.vendor == "NVIDIA"; });
}

}  // namespace hearth
