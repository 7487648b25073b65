// Media are looked for one and two levels below the roots (/media/STICK, /run/media/USER/STICK).
#include "appliance/hearthd/pack_sources.h"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>

#include "appliance/hearthd/visible_path.h"
#include "base/log.h"

namespace hearth {
namespace fs = std::filesystem;
namespace {

constexpr size_t kMaxFolders = 256;  // looked at in one round
constexpr std::chrono::seconds kLookEvery{2};

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

// What tells one state of a medium from another without reading packs: its folders' index files.
std::string fingerprint(const fs::path& medium) {
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

api::PackInfo to_api(const store::PackSummary& pack) {
  return {.name = pack.name,
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

PackSources::PackSources(store::Store& store, EventBus& events) : store_(store), events_(events), roots_(media_roots()) {}
PackSources::~PackSources() { stop(); }

void PackSources::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
}

void PackSources::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

Result<api::PackSource> PackSources::scan(const std::string& path) const {
  fs::path folder(path);
  std::error_code failed;
  bool is_folder = fs::is_directory(folder, failed);
  if (failed && folder.is_absolute() && failed != std::errc::no_such_file_or_directory)
    return cannot_see(folder, failed);
  if (!folder.is_absolute() || !is_folder)
    return error(Code::not_found, "there is no folder {}; required: the absolute path of a stick or folder with packs", path);
  auto below = [&](const fs::path& root) { return std::mismatch(root.begin(), root.end(), folder.begin(), folder.end()).first == root.end(); };
  api::PackSource out{.path = path, .label = folder.filename().string(), .removable = std::any_of(roots_.begin(), roots_.end(), below)};
  for (const store::PackSummary& pack : TRY_WITH(store_.scan(folder), "while looking for packs in {}", path)) out.packs.push_back(to_api(pack));
  return out;
}

std::vector<api::PackSource> PackSources::list() const {
  std::vector<api::PackSource> out;
  for (const fs::path& medium : find_media(roots_)) {
    if (auto source = scan(medium.string())) {
      out.push_back(std::move(*source));
    } else {
      spdlog::warn("{}", source.error().to_string());
    }
  }
  return out;
}

void PackSources::watch(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  auto look = [this] {
    std::map<std::string, std::string> out;
    for (const fs::path& medium : find_media(roots_)) out[medium.string()] = fingerprint(medium);
    return out;
  };
  std::map<std::string, std::string> before = look();
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex);
      never.wait_for(lock, stop, kLookEvery, [] { return false; });
    }
    std::map<std::string, std::string> now = look();
    for (const auto& [path, print] : now)
      if (!before.contains(path) || before[path] != print) events_.publish("pack_source", path, "packs found on " + path);
    for (const auto& [path, print] : before)
      if (!now.contains(path)) events_.publish("pack_source", path, path + " was removed");
    before = std::move(now);
  }
}

}  // namespace hearth
