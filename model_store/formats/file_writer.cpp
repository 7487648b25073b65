// FileWriter: a temporary beside the target, renamed when complete.
#include "model_store/formats/file_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace hearth {
namespace {
constexpr size_t kPieceBytes = size_t{16} << 20;
constexpr uint64_t kWriteBackEvery = uint64_t{64} << 20;  // the disk works while we do, and finish() is short
}  // namespace

Result<FileWriter> FileWriter::create(const std::filesystem::path& path) {
  std::string temporary = path.string() + ".tmp.XXXXXX";
  Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid()) return errno_error("create", temporary, errno);
  return FileWriter(path, std::move(temporary), std::move(fd));
}

FileWriter::~FileWriter() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<void> FileWriter::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), kPieceBytes));
    TRY(write_all(fd_.get(), piece, path_));
    const uint64_t before = size_;
    size_ += piece.size();
    if (before / kWriteBackEvery != size_ / kWriteBackEvery)
      (void)::sync_file_range(fd_.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
    bytes = bytes.subspan(piece.size());
  }
  return {};
}

Result<void> FileWriter::pad_to(uint64_t alignment) {
  std::string zeros((alignment - size_ % alignment) % alignment, '\0');
  return write(zeros);
}

Result<void> FileWriter::finish() {
  if (::fchmod(fd_.get(), 0644) != 0 || ::fsync(fd_.get()) != 0) return errno_error("flush", path_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return errno_error("rename to", path_, errno);
  temporary_.clear();
  return fsync_path(path_.has_parent_path() ? path_.parent_path() : ".");
}

}  // namespace hearth
