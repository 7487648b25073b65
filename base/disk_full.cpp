// The mark is where the error was made: a place of its own, whose "line" is which folder's disk it is.
#include "base/disk_full.h"

#include <algorithm>
#include <mutex>

namespace hearth {
namespace {
constexpr const char* kPlace = "a disk without room";
constexpr size_t kMaxFolders = 256;  // of later ones it is not said which

struct Folders {
  std::mutex mutex;
  std::vector<std::string> names;  // of line 1, 2, ...
};
Folders& folders() {
  static Folders all;
  return all;
}

// 0: not known.
int line_of(const std::string& folder) {
  std::lock_guard lock(folders().mutex);
  auto& names = folders().names;
  const auto known = std::find(names.begin(), names.end(), folder);
  if (folder.empty() || (known == names.end() && names.size() >= kMaxFolders)) return 0;
  const auto line = static_cast<int>(known - names.begin()) + 1;
  if (known == names.end()) names.push_back(folder);
  return line;
}
}  // namespace

Error as_disk_full(Error error, const std::filesystem::path& folder) {
  error.where = {kPlace, line_of(folder.string())};
  return error;
}

bool is_disk_full(const Error& error) {
  return error.where.file == kPlace;
}

Phrase disk_full_cause(const Error& error) {
  if (!is_disk_full(error) || error.where.line == 0) return {"disk_full"};
  std::lock_guard lock(folders().mutex);
  return {"disk_full_at", {{"path", folders().names.at(static_cast<size_t>(error.where.line) - 1)}}};
}

}  // namespace hearth
