// See disk_space.h: what statvfs says, less what is kept free.
#include "base/disk_space.h"

#include <sys/statvfs.h>

#include <algorithm>

#include "base/disk_full.h"
#include "base/files.h"

namespace hearth {

// Left free for the database, logs and the rest of the box; less on small filesystems.
constexpr uint64_t kMaxReserveBytes = uint64_t{2} << 30;
constexpr uint64_t kReserveFraction = 50;

Result<void> check_disk_space(const std::filesystem::path& folder, uint64_t needed_bytes) {
  struct statvfs st {};
  if (::statvfs(folder.c_str(), &st) != 0) return errno_error("read the free space of", folder, errno);
  uint64_t free = uint64_t{st.f_bavail} * st.f_frsize, size = uint64_t{st.f_blocks} * st.f_frsize;
  uint64_t reserve_bytes = std::min(kMaxReserveBytes, size / kReserveFraction);
  if (needed_bytes <= free && free - needed_bytes >= reserve_bytes) return {};
  return as_disk_full(
      error(Code::resource_exhausted,
            "not enough disk space: {} MiB are needed (with {} MiB kept free for the box), {} MiB are free; remove "
            "a model or free some space and try again",
            (needed_bytes >> 20) + 1, reserve_bytes >> 20, free >> 20),
      folder);
}

}  // namespace hearth
