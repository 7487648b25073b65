// Staging: write, fsync, rename, fsync of the folder, in this order, so that a name in blobs/sha256 is always complete.
#include "model_store/blobs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "base/disk_space.h"
#include "model_store/kill_point.h"

namespace hearth::store {
namespace fs = std::filesystem;
namespace {
constexpr mode_t kBlobMode = 0444;

Result<void> seal(const Fd& fd, const fs::path& path) {
  kill_point("blob.written");
  if (::fchmod(fd.get(), kBlobMode) != 0 || ::fsync(fd.get()) != 0) return errno_error("flush", path, errno);
  kill_point("blob.flushed");
  return {};
}

// A promise of space now is better than ENOSPC at 99 %. Filesystems without fallocate find out while writing.
Result<void> reserve(const Fd& fd, const fs::path& path, uint64_t size_bytes) {
  if (size_bytes == 0 || ::fallocate(fd.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size_bytes)) == 0) return {};
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) return errno_error("reserve space for", path, errno);
  return {};
}

std::vector<fs::path> files_in(const fs::path& folder, std::error_code& ec) {
  std::vector<fs::path> out;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) out.push_back(it->path());
  std::sort(out.begin(), out.end());
  return out;
}

// A name in incoming/ that says what was being imported.
constexpr const char* kResumable = "import-";
constexpr auto kKeepFor = std::chrono::hours(24 * 7);

bool is_worth_keeping(const fs::path& staging) {
  std::error_code ec;
  return staging.filename().string().starts_with(kResumable) &&
         fs::file_time_type::clock::now() - fs::last_write_time(staging, ec) < kKeepFor && !ec;
}

// Of what a killed writer left: the copies that were finished, with the notes that say so, and those under way.
Result<void> keep_only_copies(const fs::path& folder) {
  std::error_code ec;
  std::set<std::string> copies;
  const std::vector<fs::path> left = files_in(folder, ec);
  for (const fs::path& path : left) {
    if (!path.filename().string().starts_with("done-")) continue;
    auto digest = Digest::parse(read_file(path, 256).value_or(""));
    if (digest) copies.insert(digest->hex());
  }
  for (const fs::path& path : left) {
    const std::string name = path.filename().string();
    if (name.starts_with("done-") || name.starts_with("part-") || copies.contains(name)) continue;
    fs::remove_all(path, ec);
    if (ec) return errno_error("remove", path, ec.value());
  }
  return {};
}

bool is_staged_blob(const fs::path& path) {
  return Digest::from_hex(path.filename().string()).has_value();
}
}  // namespace

Staging::Staging(Staging&& other) noexcept
    : folder_(std::exchange(other.folder_, {})), blobs_(std::move(other.blobs_)), is_resumable_(other.is_resumable_) {}

Staging::~Staging() {
  if (folder_.empty()) return;
  std::error_code ec;
  fs::remove_all(folder_, ec);
}

fs::path Staging::find(const Digest& digest) const {
  std::error_code ec;
  fs::path staged = folder_ / digest.hex();
  return fs::exists(staged, ec) ? staged : blobs_ / digest.hex();
}

Result<BlobInfo> Staging::add_bytes(std::string_view bytes) {
  Digest digest = Digest::of(bytes);
  fs::path path = folder_ / digest.hex();
  std::error_code ec;
  if (fs::exists(path, ec)) return BlobInfo{digest, bytes.size()};
  Fd out = TRY(open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  TRY(write_all(out.get(), std::as_bytes(std::span(bytes)), path));
  TRY(seal(out, path));
  return BlobInfo{digest, bytes.size()};
}

Result<BlobInfo> Staging::add_file(const Fd& in, const fs::path& from, uint64_t size_bytes,
                                   const std::optional<Digest>& expected, Meter& meter, size_t index) {
  if (auto done = finished(index, size_bytes)) {
    TRY(meter.add(size_bytes));
    return *done;
  }
  fs::path part = folder_ / fmt::format("part-{}", index);
  Fd out = TRY(open_file(part, O_RDWR | O_CREAT | (is_resumable_ ? 0 : O_TRUNC), 0600));
  kill_point("blob.created");
  TRY(reserve(out, part, size_bytes));
  (void)::posix_fadvise(in.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  Digest digest = TRY(copy_and_hash(in, from, out, part, size_bytes, meter));
  if (expected && digest != *expected)
    return error(Code::data_loss, "{} is damaged: its SHA-256 is {}, expected {}; get a fresh copy", from.string(),
                 digest.hex(), expected->hex());
  TRY(seal(out, part));
  fs::path name = folder_ / digest.hex();
  if (::rename(part.c_str(), name.c_str()) != 0) return errno_error("rename to", name, errno);
  if (is_resumable_) TRY(write_file(folder_ / fmt::format("done-{}", index), digest.text()));
  return BlobInfo{digest, size_bytes};
}

Result<BlobInfo> Staging::adopt_file(const Fd& in, const fs::path& from, uint64_t size_bytes, Meter& meter) {
  const fs::path part = folder_ / "adopted";
  ::unlink(part.c_str());
  if (::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, part.c_str(), AT_SYMLINK_FOLLOW) != 0)
    return add_file(in, from, size_bytes, std::nullopt, meter);
  TRY(seal(in, from));
  (void)::posix_fadvise(in.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  const Digest digest = TRY(hash_exactly(in, from, size_bytes, meter));
  const fs::path name = folder_ / digest.hex();
  if (::rename(part.c_str(), name.c_str()) != 0) return errno_error("rename to", name, errno);
  ::unlink(part.c_str());  // rename leaves it when both are the same file already
  return BlobInfo{digest, size_bytes};
}

std::optional<BlobInfo> Staging::finished(size_t index, uint64_t size_bytes) const {
  if (!is_resumable_) return std::nullopt;
  auto text = read_file(folder_ / fmt::format("done-{}", index), 256);
  if (!text) return std::nullopt;
  auto digest = Digest::parse(*text);
  std::error_code ec;
  if (!digest || fs::file_size(folder_ / digest->hex(), ec) != size_bytes || ec) return std::nullopt;
  return BlobInfo{*digest, size_bytes};
}

Result<void> Staging::commit() {
  std::error_code ec;
  std::vector<fs::path> staged = files_in(folder_, ec);
  if (ec) return errno_error("read folder", folder_, ec.value());
  kill_point("staging.complete");
  for (const fs::path& from : staged) {
    if (!is_staged_blob(from)) continue;
    fs::path to = blobs_ / from.filename();
    if (::rename(from.c_str(), to.c_str()) != 0) return errno_error("rename to", to, errno);
    kill_point("blob.renamed");
  }
  TRY(fsync_path(blobs_));
  kill_point("blobs.flushed");
  return {};
}

Result<void> Blobs::create() {
  TRY(make_folders(folder_));
  TRY(make_folders(incoming_));
  for (const fs::path& folder : {folder_.parent_path().parent_path(), folder_.parent_path(), folder_})
    TRY(fsync_path(folder));
  return {};
}

Result<void> Blobs::sweep(bool keep_resumable) {
  std::error_code ec;
  for (const fs::path& left : files_in(incoming_, ec)) {
    if (keep_resumable && is_worth_keeping(left)) continue;
    fs::remove_all(left, ec);
    if (ec) return errno_error("remove", left, ec.value());
    kill_point("sweep.removed");
  }
  if (ec) return errno_error("read folder", incoming_, ec.value());
  return {};
}

Result<Staging> Blobs::stage() const {
  std::string name = (incoming_ / "XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) return errno_error("create folder", name, errno);
  kill_point("staging.created");
  return Staging(name, folder_, false);
}

Result<Staging> Blobs::stage_again(std::string_view identity) const {
  fs::path folder = incoming_ / (std::string(kResumable) + Digest::of(identity).hex().substr(0, 32));
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return errno_error("create folder", folder, errno);
  TRY(keep_only_copies(folder));
  return Staging(folder, folder_, true);
}

uint64_t Staging::staged_bytes() const {
  std::error_code ec;
  uint64_t total = 0;
  for (const fs::path& path : files_in(folder_, ec)) {
    const uintmax_t size = fs::file_size(path, ec);
    if (!ec) total += size;
  }
  return total;
}

Result<std::vector<BlobInfo>> Blobs::list() const {
  std::error_code ec;
  std::vector<BlobInfo> out;
  for (const fs::path& path : files_in(folder_, ec)) {
    auto digest = Digest::from_hex(path.filename().string());
    if (!digest) continue;
    uint64_t size = fs::file_size(path, ec);
    if (!ec) out.push_back({*digest, size});
    ec.clear();
  }
  if (ec) return errno_error("read folder", folder_, ec.value());
  return out;
}

Result<void> Blobs::verify(const BlobInfo& blob, Meter& meter) const {
  fs::path where = path(blob.digest);
  auto fd = open_regular(AT_FDCWD, where, false);
  if (!fd && fd.error().code == Code::not_found) return error(Code::data_loss, "blob {} is missing", blob.digest.hex());
  if (!fd) return fd.error();
  (void)::posix_fadvise(fd->get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  Digest found = TRY(hash_exactly(*fd, where, blob.size_bytes, meter));
  if (found != blob.digest)
    return error(Code::data_loss, "blob {} has other content (SHA-256 {})", blob.digest.hex(), found.hex());
  return {};
}

Result<std::string> Blobs::read(const Digest& digest, uint64_t max_bytes) const {
  return read_file(path(digest), max_bytes);
}

Result<void> Blobs::remove(const Digest& digest) const {
  fs::path where = path(digest);
  if (::unlink(where.c_str()) != 0 && errno != ENOENT) return errno_error("remove", where, errno);
  kill_point("blob.removed");
  return {};
}

Result<void> Blobs::flush() const {
  return fsync_path(folder_);
}

Result<uint64_t> Blobs::free_bytes() const {
  struct statvfs st {};
  if (::statvfs(folder_.c_str(), &st) != 0) return errno_error("read the free space of", folder_, errno);
  return uint64_t{st.f_bavail} * st.f_frsize;
}

Result<void> Blobs::check_space(uint64_t needed_bytes) const {
  return check_disk_space(folder_, needed_bytes);
}

}  // namespace hearth::store
