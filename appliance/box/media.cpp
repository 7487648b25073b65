// Media are looked for one and two levels below the roots (/media/STICK, /run/media/USER/STICK).
#include "appliance/box/media.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <set>

#include "appliance/box/visible_path.h"
#include "base/log.h"

namespace hearth {
namespace fs = std::filesystem;
namespace {

constexpr size_t kMaxFolders = 256;  // looked at in one round

// A folder that cannot be read may hold the stick that somebody is waiting for: said once, not every two seconds.
void tell_once(const fs::path& folder, const std::error_code& failed) {
  constexpr size_t kMaxTold = 1000;
  static std::mutex mutex;
  static std::set<std::string> told;
  std::lock_guard lock(mutex);
  if (told.size() >= kMaxTold || !told.insert(folder.string()).second) return;
  spdlog::warn("cannot look for packs in {}: {}; a stick below it is not seen unless the service may read it",
               folder.string(), failed.message());
}

std::vector<fs::path> folders_in(const fs::path& parent) {
  std::vector<fs::path> out;
  std::error_code failed;
  fs::directory_iterator it(parent, failed);
  if (failed && failed != std::errc::no_such_file_or_directory && failed != std::errc::not_a_directory)
    tell_once(parent, failed);
  for (fs::directory_iterator end; !failed && it != end && out.size() < kMaxFolders; it.increment(failed)) {
    std::error_code ignored;
    if (it->symlink_status(ignored).type() == fs::file_type::directory) out.push_back(it->path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool is_layout(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / "oci-layout", ignored) && fs::is_regular_file(folder / "index.json", ignored);
}

// Itself a layout, or with one just below: what Store::scan looks at.
bool holds_layout(const fs::path& folder) {
  if (is_layout(folder)) return true;
  std::vector<fs::path> below = folders_in(folder);
  return std::any_of(below.begin(), below.end(), is_layout);
}

api::PackInfo to_api(const store::PackSummary& pack) {
  return {.name = pack.name,
          .display_name = pack.display_name,
          .version = pack.version,
          .description = pack.description,
          .license = pack.license,
          .digest = pack.digest,
          .status = std::string(store::trust_name(pack.trust)),
          .size_bytes = pack.size_bytes,
          .installed = pack.installed,
          .problem = pack.problem};
}

}  // namespace

std::vector<fs::path> media_roots() {
  const char* given = std::getenv("HEARTH_MEDIA_ROOTS");
  if (!given) return {"/media", "/run/media", "/mnt"};
  std::vector<fs::path> out;
  std::string_view rest = given;
  while (!rest.empty()) {
    std::string_view one = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    if (!one.empty()) out.emplace_back(one);
  }
  return out;
}

bool is_below(const fs::path& folder, const std::vector<fs::path>& roots) {
  return std::any_of(roots.begin(), roots.end(), [&](const fs::path& root) {
    return std::mismatch(root.begin(), root.end(), folder.begin(), folder.end()).first == root.end();
  });
}

std::vector<fs::path> find_media(const std::vector<fs::path>& roots) {
  std::vector<fs::path> out;
  for (const fs::path& root : roots)
    for (const fs::path& medium : folders_in(root)) {
      if (holds_layout(medium)) {
        out.push_back(medium);
        continue;
      }
      for (const fs::path& deeper : folders_in(medium))
        if (holds_layout(deeper)) out.push_back(deeper);
    }
  return out;
}

std::string fingerprint_of(const fs::path& medium) {
  std::string out = medium.string();
  auto add = [&](const fs::path& folder) {
    std::error_code failed;
    auto time = fs::last_write_time(folder / "index.json", failed);
    if (!failed) out += fmt::format("|{}@{}", folder.filename().string(), time.time_since_epoch().count());
  };
  add(medium);
  for (const fs::path& folder : folders_in(medium)) add(folder);
  return out;
}

Result<api::PackSource> look_for_packs(const store::Store& store, const std::string& path,
                                       const std::vector<fs::path>& roots) {
  const fs::path folder(path);
  if (!folder.is_absolute())
    return error(Code::invalid_argument,
                 "\"{}\" is no absolute path; required: the path of a stick or folder with packs", path);
  TRY(check_visible(folder, Wanted::folder));
  api::PackSource out{.path = path, .label = folder.filename().string(), .removable = is_below(folder, roots)};
  for (const store::PackSummary& pack : TRY_WITH(store.scan(folder), "while looking for packs in {}", path))
    out.packs.push_back(to_api(pack));
  return out;
}

std::vector<api::PackSource> packs_on_media(const store::Store& store, const std::vector<fs::path>& roots) {
  std::vector<api::PackSource> out;
  for (const fs::path& medium : find_media(roots)) {
    if (auto source = look_for_packs(store, medium.string(), roots)) {
      out.push_back(std::move(*source));
    } else {
      spdlog::warn("{}", source.error().to_string());
    }
  }
  return out;
}

}  // namespace hearth
