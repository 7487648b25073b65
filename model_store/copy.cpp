// Two buffers: one is read while the other is hashed and written. SHA-256 with SHA instructions is as fast as disks
// are.
#include "model_store/copy.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <future>
#include <memory>
#include <span>
#include <utility>

namespace hearth::store {
namespace fs = std::filesystem;
namespace {
constexpr size_t kBufferBytes = size_t{4} << 20;
constexpr uint64_t kWriteBackEvery = uint64_t{64} << 20;  // keeps the final fsync, and with it cancelling, short

struct Buffer {
  std::unique_ptr<std::byte[]> data = std::make_unique_for_overwrite<std::byte[]>(kBufferBytes);
};

Result<size_t> read_some(const Fd& in, const fs::path& from, std::byte* buffer, size_t wanted) {
  for (;;) {
    ssize_t n = ::read(in.get(), buffer, wanted);
    if (n >= 0) return static_cast<size_t>(n);
    if (errno == EINTR) continue;
    Error e = errno_error("read", from, errno);
    if (errno == EIO || errno == ENODEV || errno == ENXIO)
      e.message += "; was the stick pulled out? Put it back, or use another copy, and try again";
    return e;
  }
}

Error write_hint(Error e, int error_number) {
  if (error_number == EFBIG)
    e.message += "; this filesystem cannot hold a file that large (FAT32 ends at 4 GiB): use ext4 or exFAT";
  return e;
}

Result<void> write_chunk(const Fd& out, const fs::path& to, std::span<const std::byte> chunk) {
  auto written = write_all(out.get(), chunk, to);
  if (!written) return write_hint(std::move(written).error(), errno);
  return {};
}

// The same bytes at that place; a piece that is not all there is not.
bool holds(const Fd& out, uint64_t at, std::span<const std::byte> chunk) {
  Buffer buffer;
  size_t n = 0;
  while (n < chunk.size()) {
    const ssize_t got = ::pread(out.get(), buffer.data.get() + n, chunk.size() - n, static_cast<off_t>(at + n));
    if (got <= 0) return false;
    n += static_cast<size_t>(got);
  }
  return std::memcmp(buffer.data.get(), chunk.data(), chunk.size()) == 0;
}

// Writing goes on here; what follows is dropped.
Result<void> cut_at(const Fd& out, const fs::path& to, uint64_t at) {
  const uint64_t present = TRY(size_of(out, to));  // what is reserved beyond stays reserved where nothing is cut
  if ((present > at && ::ftruncate(out.get(), static_cast<off_t>(at)) != 0) ||
      ::lseek(out.get(), static_cast<off_t>(at), SEEK_SET) < 0)
    return errno_error("write", to, errno);
  return {};
}

// Calls take(chunk) for all bytes of `in`, which must be exactly size_bytes long.
template <class Take>
Result<void> read_exactly(const Fd& in, const fs::path& from, uint64_t size_bytes, Meter& meter, Take&& take) {
  Buffer buffers[2];
  uint64_t left = size_bytes;
  size_t now = 0;
  auto read_into = [&](Buffer& buffer, uint64_t wanted) {
    return read_some(in, from, buffer.data.get(), std::min<uint64_t>(wanted, kBufferBytes));
  };
  Result<size_t> got = left > 0 ? read_into(buffers[0], left) : Result<size_t>(size_t{0});
  while (left > 0) {
    const size_t n = TRY(std::move(got));
    if (n == 0)
      return error(Code::data_loss, "{} ends {} bytes early (expected {}): it is truncated; get a fresh copy",
                   from.string(), left, size_bytes);
    left -= n;
    // The next piece is read while this one is taken. Small files are not worth a thread.
    std::future<Result<size_t>> next;
    if (left > 0)
      next = std::async(n == kBufferBytes ? std::launch::async : std::launch::deferred,
                        [&, into = &buffers[1 - now], wanted = left] { return read_into(*into, wanted); });
    TRY(take(std::span(buffers[now].data.get(), n)));
    TRY(meter.add(n));
    if (left > 0) got = next.get();
    now = 1 - now;
  }
  Buffer& buffer = buffers[0];
  if (TRY(read_some(in, from, buffer.data.get(), 1)) != 0)
    return error(Code::data_loss, "{} is longer than the {} bytes it should have; get a fresh copy", from.string(),
                 size_bytes);
  return {};
}

// Shares the blocks where the filesystem can (XFS, btrfs). The clone is ours alone: nobody can change it any more. What
// an earlier copy held beyond is dropped.
bool clone_file(const Fd& in, const Fd& out, uint64_t size_bytes) {
  return ::ioctl(out.get(), FICLONE, in.get()) == 0 && ::ftruncate(out.get(), static_cast<off_t>(size_bytes)) == 0;
}
}  // namespace

Result<Fd> open_regular(int at, const fs::path& path, bool follow_links) {
  int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (follow_links ? 0 : O_NOFOLLOW);
  Fd fd(::openat(at, path.c_str(), flags));
  if (!fd.valid() && errno == ELOOP && !follow_links)
    return error(Code::invalid_argument, "{} is a symbolic link; links are refused here, put the file itself there",
                 path.string());
  if (!fd.valid()) return errno_error("open", path, errno);
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return errno_error("stat", path, errno);
  if (!S_ISREG(st.st_mode)) return error(Code::invalid_argument, "{} is not a regular file", path.string());
  return fd;
}

Result<uint64_t> size_of(const Fd& fd, const fs::path& path) {
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return errno_error("stat", path, errno);
  return static_cast<uint64_t>(st.st_size);
}

Result<Digest> hash_exactly(const Fd& in, const fs::path& from, uint64_t size_bytes, Meter& meter) {
  Sha256 hash;
  TRY(read_exactly(in, from, size_bytes, meter, [&](std::span<const std::byte> chunk) -> Result<void> {
    hash.update(chunk);
    return {};
  }));
  return hash.finish();
}

Result<Digest> copy_and_hash(const Fd& in, const fs::path& from, const Fd& out, const fs::path& to, uint64_t size_bytes,
                             Meter& meter) {
  if (clone_file(in, out, size_bytes)) return hash_exactly(out, from, size_bytes, meter);
  Sha256 hash;
  uint64_t written = 0;
  bool is_there = TRY(size_of(out, to)) > 0;  // an earlier copy, as far as it agrees
  TRY(read_exactly(in, from, size_bytes, meter, [&](std::span<const std::byte> chunk) -> Result<void> {
    hash.update(chunk);
    if (is_there && holds(out, written, chunk)) {
      written += chunk.size();
      return {};
    }
    if (std::exchange(is_there, false)) TRY(cut_at(out, to, written));
    TRY(write_chunk(out, to, chunk));
    uint64_t before = written;
    written += chunk.size();
    if (before / kWriteBackEvery != written / kWriteBackEvery)
      (void)::sync_file_range(out.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
    return {};
  }));
  if (is_there) TRY(cut_at(out, to, written));
  return hash.finish();
}

}  // namespace hearth::store
