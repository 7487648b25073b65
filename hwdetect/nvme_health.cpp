// The SMART / health log of an NVMe controller (log page 2 of the NVMe base specification), by the kernel's ioctl.
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/files.h"
#include "hwdetect/detect.h"
#include "hwdetect/nvme_health.h"

namespace hearth::detail {
namespace {

constexpr uint8_t kGetLogPage = 0x02;
constexpr uint32_t kHealthLog = 0x02;
constexpr uint64_t kDataUnitBytes = 512 * 1000;  // "data units" are thousands of 512-byte blocks
constexpr int kKelvin = 273;

uint64_t little_endian(std::span<const uint8_t> bytes, size_t at, size_t n) {
  uint64_t value = 0;
  for (size_t i = 0; i < n; ++i) value |= uint64_t{bytes[at + i]} << (8 * i);
  return value;
}

uint64_t saturating_multiply(uint64_t a, uint64_t b) {
  return a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

}  // namespace

DiskHealth parse_nvme_health(std::span<const uint8_t, kNvmeHealthBytes> log) {
  DiskHealth health;
  health.critical_warning = log[0] != 0;
  health.temperature_celsius = static_cast<int>(little_endian(log, 1, 2)) - kKelvin;
  health.available_spare_percent = log[3];
  health.percentage_used = log[5];
  health.written_bytes = saturating_multiply(little_endian(log, 48, 8), kDataUnitBytes);
  health.media_errors = little_endian(log, 160, 8);
  return health;
}

Reading<DiskHealth> read_nvme_health(const std::filesystem::path& controller) {
  auto file = open_file(controller, O_RDONLY);
  if (!file) return Reading<DiskHealth>::missing(file.error().to_string());
  std::array<uint8_t, kNvmeHealthBytes> log{};
  nvme_admin_cmd command{};
  command.opcode = kGetLogPage;
  command.nsid = 0xffffffff;
  command.addr = reinterpret_cast<uint64_t>(log.data());
  command.data_len = log.size();
  command.cdw10 = kHealthLog | ((log.size() / 4 - 1) << 16);
  const int status = ::ioctl(file->get(), NVME_IOCTL_ADMIN_CMD, &command);
  if (status < 0)
    return Reading<DiskHealth>::missing(errno_error("cannot ask for health", controller, errno).to_string());
  if (status > 0)
    return Reading<DiskHealth>::missing(
        fmt::format("{} refused its health log (NVMe status {:#x})", controller.string(), status));
  return Reading<DiskHealth>::of(parse_nvme_health(log));
}

}  // namespace hearth::detail
