// An unnamed file (O_TMPFILE), reserved whole and mapped.
#include "model_store/formats/disk_memory.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>

#include "base/disk_space.h"
#include "base/files.h"

namespace hearth {

Result<DiskMemory> DiskMemory::create(const std::filesystem::path& folder, uint64_t bytes) {
  TRY(check_disk_space(folder, bytes));
  const Fd file = TRY(open_file(folder, O_TMPFILE | O_RDWR, 0600));
  if (const int failed = ::posix_fallocate(file.get(), 0, static_cast<off_t>(bytes)); failed != 0)
    return errno_error("reserve room in", folder, failed);
  void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (data == MAP_FAILED) return errno_error("map a file in", folder, errno);
  return DiskMemory(static_cast<std::byte*>(data), bytes);
}

DiskMemory::~DiskMemory() {
  if (data_) ::munmap(data_, bytes_);
}

Result<void> DiskMemory::make_read_only() {
  if (::mprotect(data_, bytes_, PROT_READ) == 0) return {};
  return error(Code::internal, "weights on disk cannot be made read-only (errno {})", errno);
}

}  // namespace hearth
