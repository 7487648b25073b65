// Memory that the system can take back without swap: an unnamed file, mapped. For weights that have to be laid out anew
// and are too many for memory; the file is gone with the mapping, or with the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <utility>

#include "base/result.h"

namespace hearth {

class DiskMemory {
 public:
  // Zeroed and writable; all of it has its room on the disk of `folder`, so that writing cannot fail. Errors:
  // resource_exhausted, or what the folder says.
  static Result<DiskMemory> create(const std::filesystem::path& folder, uint64_t bytes);
  DiskMemory(DiskMemory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  DiskMemory& operator=(DiskMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~DiskMemory();
  std::byte* data() const { return data_; }
  Result<void> make_read_only();

 private:
  DiskMemory(std::byte* data, uint64_t bytes) : data_(data), bytes_(bytes) {}
  std::byte* data_ = nullptr;
  uint64_t bytes_ = 0;
};

}  // namespace hearth
