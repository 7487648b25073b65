// The state directory's place and layout.
#include "appliance/state/state_dir.h"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "base/files.h"

namespace hearth {
namespace fs = std::filesystem;

fs::path StateDir::engine_socket(std::string_view model) const {
  fs::path plain = run() / fmt::format("engine-{}.sock", model);
  if (plain.string().size() < sizeof(sockaddr_un::sun_path)) return plain;
  return run() / fmt::format("e-{:016x}.sock", std::hash<std::string_view>()(model));
}

Result<void> StateDir::make_folders() const {
  for (const fs::path& folder : {root, run(), uploads(), logs(), jobs(), datasets()}) {
    std::error_code ignored;
    bool is_new = !fs::exists(folder, ignored);
    TRY_WITH(hearth::make_folders(folder), "while preparing the state directory");
    if (is_new && ::chmod(folder.c_str(), 0750) != 0) return errno_error("change the mode of", folder, errno);
  }
  return {};
}

StateDir default_state_dir() {
  auto environment = [](const char* name) { return std::string(std::getenv(name) ? std::getenv(name) : ""); };
  if (std::string given = environment("HEARTH_STATE_DIR"); !given.empty()) return {fs::absolute(given)};
  const fs::path system = "/var/lib/hearth";
  if (::access((system / "hearth.db").c_str(), R_OK) == 0) return {system};
  if (std::string xdg = environment("XDG_STATE_HOME"); !xdg.empty()) return {fs::path(xdg) / "hearth"};
  std::string home = environment("HOME");
  return {fs::path(home.empty() ? "/var/lib" : home + "/.local/state") / "hearth"};
}

StateDir state_dir_from(std::string_view given) {
  return given.empty() ? default_state_dir() : StateDir{fs::absolute(given).lexically_normal()};
}

}  // namespace hearth
