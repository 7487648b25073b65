#include "model_store/views.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "model_store/kill_point.h"

namespace hearth::store {
namespace fs = std::filesystem;
namespace {
constexpr int kAttempts = 3;  // another process may tidy or build the same view meanwhile

fs::path views_folder(const fs::path& state_dir) {
  return state_dir / "prepared" / "views";
}

// Every link resolves to a file of the right size.
bool is_complete(const fs::path& view, const std::vector<ModelFile>& files) {
  return std::all_of(files.begin(), files.end(), [&](const ModelFile& file) {
    struct stat st {};
    return ::stat((view / file.name).c_str(), &st) == 0 && S_ISREG(st.st_mode) &&
           static_cast<uint64_t>(st.st_size) == file.size_bytes;
  });
}

Result<void> check_blobs(const fs::path& state_dir, const ModelRecord& record) {
  Blobs blobs(state_dir);
  for (const ModelFile& file : record.files) {
    std::error_code ec;
    fs::path blob = blobs.path(TRY(Digest::parse(file.digest)));
    if (fs::file_size(blob, ec) != file.size_bytes || ec)
      return error(Code::data_loss,
                   "{} of model {} is missing or has another size in the store; install or import the model again",
                   file.name, record.name);
  }
  return {};
}

Result<void> build(const fs::path& state_dir, const fs::path& view, const ModelRecord& record) {
  TRY(make_folders(view.parent_path()));
  TempFolder made = TRY(TempFolder::create(".building", view.parent_path()));
  fs::path folder = made.path() / "view";  // renamed away before `made` is removed
  TRY(make_folders(folder));
  ::chmod(folder.c_str(), 0755);
  Blobs blobs(state_dir);
  fs::path from_here = view;
  TRY(link_files(folder, record.files,
                 [&](const Digest& digest) { return fs::relative(blobs.path(digest), from_here); }));
  kill_point("view.linked");
  if (::rename(folder.c_str(), view.c_str()) == 0) return {};
  if (errno != ENOTEMPTY && errno != EEXIST) return errno_error("rename to", view, errno);
  // An old one, incomplete or just built by somebody else: set it aside and try once more.
  ::rename(view.c_str(), (made.path() / "old").c_str());
  if (::rename(folder.c_str(), view.c_str()) != 0 && errno != ENOTEMPTY && errno != EEXIST)
    return errno_error("rename to", view, errno);
  return {};
}
}  // namespace

Result<void> link_files(const fs::path& folder, const std::vector<ModelFile>& files,
                        const std::function<fs::path(const Digest&)>& where) {
  for (const ModelFile& file : files) {
    fs::path link = folder / file.name, target = where(TRY(Digest::parse(file.digest)));
    for (auto depth = std::count(file.name.begin(), file.name.end(), '/'); depth > 0 && target.is_relative(); --depth)
      target = ".." / target;
    TRY(make_folders(link.parent_path()));
    if (::symlink(target.c_str(), link.c_str()) != 0) return errno_error("link", link, errno);
  }
  return {};
}

Result<fs::path> view_of(const fs::path& state_dir, const ModelRecord& record) {
  fs::path view = views_folder(state_dir) / TRY(Digest::parse(record.digest)).hex();
  if (is_complete(view, record.files)) return view;
  TRY(check_blobs(state_dir, record));
  Result<void> built;
  for (int i = 0; i < kAttempts; ++i) {
    built = build(state_dir, view, record);
    if (is_complete(view, record.files)) return view;
  }
  if (!built) return built.error();
  return error(Code::internal, "the folder view {} stays incomplete", view.string());
}

void drop_other_views(const fs::path& state_dir, const std::vector<std::string>& keep) {
  std::error_code ec;
  for (fs::directory_iterator it(views_folder(state_dir), ec), end; !ec && it != end; it.increment(ec)) {
    std::string name = it->path().filename().string();
    std::error_code ignored;
    if (std::find(keep.begin(), keep.end(), name) == keep.end()) fs::remove_all(it->path(), ignored);
  }
}

}  // namespace hearth::store
