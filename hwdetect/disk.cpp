// Block devices that hold data, from /sys/block. Loop devices, RAM disks and device-mapper layers are left out: what
// is below them is listed.
#include <array>

#include "hwdetect/detect.h"
#include "hwdetect/sysfs.h"

namespace hearth::detail {
namespace fs = std::filesystem;
namespace {

constexpr uint64_t kSectorBytes = 512;  // the unit of /sys/block/*/size, whatever the device's own sector size

bool holds_data(const std::string& name) {
  constexpr std::array kOthers = {"loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd", "zd"};
  for (std::string_view prefix : kOthers)
    if (name.starts_with(prefix)) return false;
  return true;
}

std::string kind_of(const std::string& name, const fs::path& device) {
  if (name.starts_with("nvme")) return "nvme";
  if (name.starts_with("vd") || name.starts_with("xvd")) return "virtual";  // its "rotational" flag says nothing
  auto rotational = read_sysfs_number(device / "queue/rotational");
  if (!rotational) return "unknown";
  return *rotational.value ? "hdd" : "ssd";
}

// nvme0n1 → nvme0, the controller that answers for health.
std::string controller_of(const std::string& name) {
  return name.substr(0, name.find('n', 4));
}

Reading<DiskHealth> health_of(const std::string& name, const std::string& kind, const DetectOptions& options) {
  if (kind != "nvme") return Reading<DiskHealth>::missing("only NVMe devices are asked for their health so far");
  return read_nvme_health(options.dev_root / controller_of(name));
}

Reading<uint64_t> size_of(const fs::path& device) {
  auto sectors = read_sysfs_number(device / "size");
  if (!sectors || *sectors.value > UINT64_MAX / kSectorBytes)
    return Reading<uint64_t>::missing(sectors ? "size out of range" : sectors.reason);
  return Reading<uint64_t>::of(*sectors.value * kSectorBytes);
}

DiskProfile read_disk(const std::string& name, const DetectOptions& options) {
  const fs::path device = options.sys_root / "block" / name;
  DiskProfile disk;
  disk.name = name;
  disk.kind = kind_of(name, device);
  disk.model = read_sysfs_text(device / "device/model");
  disk.size_bytes = size_of(device);
  auto removable = read_sysfs_number(device / "removable");
  disk.removable = removable ? Reading<bool>::of(*removable.value != 0) : Reading<bool>::missing(removable.reason);
  disk.numa_node = read_numa_node(disk.kind == "nvme" ? device / "device/device" : device / "device");
  disk.health = health_of(name, disk.kind, options);
  return disk;
}

}  // namespace

std::vector<DiskProfile> detect_disks(const DetectOptions& options) {
  std::vector<DiskProfile> disks;
  for (const std::string& name : list_folder(options.sys_root / "block")) {
    if (!holds_data(name)) continue;
    DiskProfile disk = read_disk(name, options);
    if (disk.size_bytes && *disk.size_bytes.value == 0) continue;  // a card reader without a card
    disks.push_back(std::move(disk));
  }
  return disks;
}

}  // namespace hearth::detail
