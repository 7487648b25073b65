// Files and the durability rules: nothing is "written" before it is fsynced, and a name appears only when complete.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth {

// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// Error from errno: ENOSPC → resource_exhausted, ENOENT → not_found, EACCES → permission_denied, ...
Error errno_error(std::string_view what, const std::filesystem::path& path, int error_number);

// Opens with O_CLOEXEC.
Result<Fd> open_file(const std::filesystem::path& path, int flags, int mode = 0644);

// The whole file; larger than max_bytes is resource_exhausted.
Result<std::string> read_file(const std::filesystem::path& path, uint64_t max_bytes = uint64_t{64} << 20);

Result<void> write_all(int fd, std::span<const std::byte> bytes, const std::filesystem::path& path_for_errors);

// Atomic and durable: temporary in the same folder, fsync, rename, fsync of the folder.
Result<void> write_file(const std::filesystem::path& path, std::string_view bytes, int mode = 0644);

Result<void> fsync_path(const std::filesystem::path& file_or_folder);
Result<void> make_folders(const std::filesystem::path& folder);      // like mkdir -p
// Atomic and durable move within one filesystem.
Result<void> rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

// A read-only mapping of a whole file. Truncation by others while mapped is the caller's risk: use it on immutable blobs.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::filesystem::path& path);
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MappedFile();
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

// An exclusive lock on a file, held until destruction. Held by another process: failed_precondition.
class LockFile {
 public:
  static Result<LockFile> acquire(const std::filesystem::path& path);

 private:
  explicit LockFile(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// A fresh folder under `parent` (default: TMPDIR or /tmp), removed with all it holds on destruction.
class TempFolder {
 public:
  static Result<TempFolder> create(std::string_view prefix, const std::filesystem::path& parent = {});
  TempFolder(TempFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TempFolder& operator=(TempFolder&&) = delete;
  ~TempFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit TempFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace hearth
