#include "model_store/pack_layout.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/json.h"
#include "model_store/copy.h"
#include "model_store/new_file.h"

namespace hearth::store {
namespace fs = std::filesystem;
namespace {
constexpr std::string_view kLayoutText = "{\"imageLayoutVersion\":\"1.0.0\"}";
constexpr uint64_t kMaxLayoutBytes = 4096;

Result<Fd> open_folder(int at, const char* name, const fs::path& shown) {
  Fd fd(::openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd.valid()) return fd;
  if (errno == ELOOP || errno == ENOTDIR)
    return error(Code::invalid_argument, "{} must be a folder, not a link or a file", shown.string());
  return errno_error("open folder", shown, errno);
}

Result<Fd> make_and_open_folder(int at, const char* name, const fs::path& shown) {
  if (::mkdirat(at, name, 0755) != 0 && errno != EEXIST) return errno_error("create folder", shown, errno);
  return open_folder(at, name, shown);
}

Result<std::string> read_bounded(const Fd& fd, const fs::path& shown, uint64_t limit) {
  uint64_t size = TRY(size_of(fd, shown));
  if (size > limit)
    return error(Code::invalid_argument, "{} has {} bytes, the limit is {}", shown.string(), size, limit);
  std::string text(size, '\0');
  size_t done = 0;
  while (done < size) {
    ssize_t n = ::read(fd.get(), text.data() + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read", shown, errno);
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  text.resize(done);
  return text;
}

Result<void> check_version(const Fd& root, const fs::path& folder) {
  fs::path shown = folder / "oci-layout";
  std::string text = TRY(read_bounded(TRY(open_regular(root.get(), "oci-layout", false)), shown, kMaxLayoutBytes));
  Json json = TRY_WITH(parse_json(text, 4), "in {}", shown.string());
  std::string version = TRY_WITH(json_get<std::string>(json, "imageLayoutVersion"), "in {}", shown.string());
  if (!version.starts_with("1."))
    return error(Code::invalid_argument, "{} has layout version {}, this Hearth reads 1.x", shown.string(),
                 version.substr(0, 40));
  return {};
}
}  // namespace

bool PackLayout::is_layout(const fs::path& folder) {
  struct stat st {};
  return ::lstat((folder / "oci-layout").c_str(), &st) == 0;
}

Result<PackLayout> PackLayout::open(const fs::path& folder) {
  PackLayout out;
  out.folder_ = folder;
  out.root_ = TRY(open_file(folder, O_RDONLY | O_DIRECTORY));
  TRY(check_version(out.root_, folder));
  Fd index = TRY_WITH(open_regular(out.root_.get(), "index.json", false), "in {}", folder.string());
  std::string text = TRY(read_bounded(index, folder / "index.json", oci::kMaxIndexBytes));
  out.index_ = TRY_WITH(oci::parse_index(text), "in {}", (folder / "index.json").string());
  Fd blobs = TRY(open_folder(out.root_.get(), "blobs", folder / "blobs"));
  out.blobs_ = TRY(open_folder(blobs.get(), "sha256", folder / "blobs" / "sha256"));
  return out;
}

Result<PackLayout> PackLayout::open_or_create(const fs::path& folder) {
  TRY(make_folders(folder));
  Fd root = TRY(open_file(folder, O_RDONLY | O_DIRECTORY));
  Fd blobs = TRY(make_and_open_folder(root.get(), "blobs", folder / "blobs"));
  TRY(make_and_open_folder(blobs.get(), "sha256", folder / "blobs" / "sha256"));
  if (!is_layout(folder)) {
    TRY(write_new_file(root.get(), folder, "index.json", oci::write_index({})));
    TRY(write_new_file(root.get(), folder, "oci-layout", kLayoutText));
  }
  return open(folder);
}

Result<Fd> PackLayout::open_blob(const Digest& digest) const {
  auto fd = open_regular(blobs_.get(), digest.hex(), false);
  if (!fd && fd.error().code == Code::not_found)
    return error(Code::data_loss, "{} is missing: the pack is incomplete; copy the whole folder again",
                 blob_path(digest).string());
  if (!fd) fd.error().context.push_back("in " + folder_.string());
  return fd;
}

Result<void> PackLayout::check_presence(const oci::Descriptor& descriptor) const {
  TRY(open_whole(descriptor));
  return {};
}

Result<Fd> PackLayout::open_whole(const oci::Descriptor& descriptor) const {
  Fd fd = TRY(open_blob(descriptor.digest));
  uint64_t size = TRY(size_of(fd, blob_path(descriptor.digest)));
  if (size != descriptor.size_bytes)
    return error(Code::data_loss, "{} has {} bytes, expected {}: it is {}; get a fresh copy of the pack",
                 blob_path(descriptor.digest).string(), size, descriptor.size_bytes,
                 size < descriptor.size_bytes ? "truncated" : "too long");
  return fd;
}

Result<std::string> PackLayout::read_document(const oci::Descriptor& descriptor, uint64_t limit) const {
  if (descriptor.size_bytes > limit)
    return error(Code::invalid_argument, "a document of {} bytes is larger than the limit of {}", descriptor.size_bytes,
                 limit);
  fs::path shown = blob_path(descriptor.digest);
  std::string text = TRY(read_bounded(TRY(open_whole(descriptor)), shown, limit));
  if (text.size() != descriptor.size_bytes || Digest::of(text) != descriptor.digest)
    return error(Code::data_loss, "{} is damaged: its content does not match its name; get a fresh copy of the pack",
                 shown.string());
  return text;
}

Result<bool> PackLayout::has_blob(const Digest& digest, uint64_t size_bytes) const {
  auto fd = open_regular(blobs_.get(), digest.hex(), false);
  if (!fd) return false;
  Control unwatched;
  Meter meter(unwatched, size_bytes);
  auto found = hash_exactly(*fd, blob_path(digest), size_bytes, meter);
  return found && *found == digest;
}

Result<void> PackLayout::add_document(std::string_view bytes) {
  return write_new_file(blobs_.get(), folder_ / "blobs" / "sha256", Digest::of(bytes).hex(), bytes);
}

Result<void> PackLayout::add_blob(const Fd& in, const fs::path& from, const Digest& digest, uint64_t size_bytes,
                                  Meter& meter) {
  if (TRY(has_blob(digest, size_bytes))) return meter.add(size_bytes);
  NewFile out = TRY(NewFile::create(blobs_.get(), folder_ / "blobs" / "sha256"));
  Digest found = TRY(copy_and_hash(in, from, out.fd(), blob_path(digest), size_bytes, meter));
  if (found != digest)
    return error(Code::data_loss, "{} is damaged: its content does not match its digest; run `hearth verify`",
                 from.string());
  return out.publish(digest.hex());
}

Result<void> PackLayout::add_to_index(const std::vector<oci::Descriptor>& entries) {
  for (const oci::Descriptor& entry : entries) {
    std::erase_if(index_, [&](const oci::Descriptor& old) {
      return old.digest == entry.digest || old.annotation(oci::kRefName) == entry.annotation(oci::kRefName);
    });
    index_.push_back(entry);
  }
  if (index_.size() > oci::kMaxIndexEntries)
    return error(Code::resource_exhausted, "{} already holds {} packs, the limit", folder_.string(),
                 oci::kMaxIndexEntries);
  return write_new_file(root_.get(), folder_, "index.json", oci::write_index(index_));
}

}  // namespace hearth::store
