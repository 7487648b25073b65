#include "base/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/disk_full.h"

namespace hearth {
namespace fs = std::filesystem;

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

Error errno_error(std::string_view what, const fs::path& path, int error_number) {
  Code code = Code::internal;
  std::string_view hint;
  switch (error_number) {
    case ENOENT:
      code = Code::not_found;
      break;
    case EEXIST:
      code = Code::already_exists;
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      code = Code::permission_denied;
      break;
    case ENOSPC:
    case EDQUOT:
      code = Code::resource_exhausted;
      hint = "; free some disk space and try again";
      break;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      code = Code::resource_exhausted;
      break;
    case EISDIR:
    case ENOTDIR:
    case ENAMETOOLONG:
    case EINVAL:
      code = Code::invalid_argument;
      break;
    case EIO:
      code = Code::data_loss;
      break;
    default:
      break;
  }
  Error failed = error(code, "cannot {} {}: {}{}", what, path.string(), std::strerror(error_number), hint);
  return hint.empty() ? failed : as_disk_full(std::move(failed), path.parent_path());
}

Result<Fd> open_file(const fs::path& path, int flags, int mode) {
  int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) return errno_error("open", path, errno);
  return Fd(fd);
}

Result<std::string> read_file(const fs::path& path, uint64_t max_bytes) {
  // Non-blocking: opening a pipe must not wait for a writer before it is refused. Regular files do not mind.
  Fd fd = TRY(open_file(path, O_RDONLY | O_NONBLOCK));
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return errno_error("stat", path, errno);
  if (S_ISDIR(st.st_mode)) return error(Code::invalid_argument, "{} is a folder, expected a file", path.string());
  if (!S_ISREG(st.st_mode)) return error(Code::invalid_argument, "{} is not a regular file", path.string());
  std::string out;
  if (st.st_size > 0) out.reserve(std::min<uint64_t>(st.st_size, max_bytes));
  char buffer[1 << 16];
  for (;;) {
    ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read", path, errno);
    if (n == 0) return out;
    if (out.size() + n > max_bytes)
      return error(Code::resource_exhausted, "{} is larger than the limit of {} bytes", path.string(), max_bytes);
    out.append(buffer, n);
  }
}

Result<void> write_all(int fd, std::span<const std::byte> bytes, const fs::path& path) {
  while (!bytes.empty()) {
    ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("write", path, errno);
    bytes = bytes.subspan(n);
  }
  return {};
}

Result<void> write_file(const fs::path& path, std::string_view bytes, int mode) {
  std::string name = path.string() + ".tmp.XXXXXX";
  Fd fd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd.valid()) return errno_error("create", name, errno);
  auto written = write_all(fd.get(), std::as_bytes(std::span(bytes)), path);
  if (written && (::fchmod(fd.get(), mode) != 0 || ::fsync(fd.get()) != 0)) written = errno_error("flush", path, errno);
  if (written && ::rename(name.c_str(), path.c_str()) != 0) written = errno_error("rename to", path, errno);
  if (!written) {
    ::unlink(name.c_str());
    return written;
  }
  return fsync_path(path.has_parent_path() ? path.parent_path() : ".");
}

Result<void> fsync_path(const fs::path& path) {
  Fd fd = TRY(open_file(path, O_RDONLY));
  if (::fsync(fd.get()) != 0) return errno_error("flush", path, errno);
  return {};
}

Result<void> make_folders(const fs::path& folder) {
  std::error_code ec;
  fs::create_directories(folder, ec);
  if (ec) return errno_error("create folder", folder, ec.value());
  return {};
}

Result<void> rename_durably(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return errno_error("rename to", to, errno);
  TRY(fsync_path(to.parent_path()));
  if (from.parent_path() != to.parent_path()) TRY(fsync_path(from.parent_path()));
  return {};
}

Result<MappedFile> MappedFile::open(const fs::path& path) {
  Fd fd = TRY(open_file(path, O_RDONLY | O_NONBLOCK));
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return errno_error("stat", path, errno);
  if (!S_ISREG(st.st_mode)) return error(Code::invalid_argument, "{} is not a regular file", path.string());
  MappedFile out;
  if (st.st_size == 0) return out;
  void* data = ::mmap(nullptr, st.st_size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (data == MAP_FAILED) return errno_error("map", path, errno);
  out.bytes_ = {static_cast<const std::byte*>(data), static_cast<size_t>(st.st_size)};
  return out;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

Result<LockFile> LockFile::acquire(const fs::path& path) {
  Fd fd = TRY(open_file(path, O_RDWR | O_CREAT, 0600));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return error(Code::failed_precondition,
                   "{} is locked by another process: another hearth is using this state directory", path.string());
    return errno_error("lock", path, errno);
  }
  return LockFile(std::move(fd));
}

Result<TempFolder> TempFolder::create(std::string_view prefix, const fs::path& parent) {
  std::error_code ec;
  fs::path base = parent.empty() ? fs::temp_directory_path(ec) : parent;
  if (ec) base = "/tmp";
  std::string name = (base / (std::string(prefix) + ".XXXXXX")).string();
  if (!::mkdtemp(name.data())) return errno_error("create folder", name, errno);
  return TempFolder(name);
}

TempFolder::~TempFolder() {
  if (path_.empty()) return;
  std::error_code ec;
  fs::remove_all(path_, ec);
}

}  // namespace hearth
