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

static fs::path own_state_dir(const std::string& xdg_state_home, const std::string& home) {
  if (!xdg_state_home.empty()) return fs::path(xdg_state_home) / "hearth";
  return fs::path(home.empty() ? "/var/lib" : home + "/.local/state") / "hearth";
}

StateDir default_state_dir() {
  auto environment = [](const char* name) { return std::string(std::getenv(name) ? std::getenv(name) : ""); };
  if (std::string given = environment("HEARTH_STATE_DIR"); !given.empty()) return {fs::absolute(given)};
  return choose_state_dir(kSystemStateDir, own_state_dir(environment("XDG_STATE_HOME"), environment("HOME")));
}

StateDir choose_state_dir(const fs::path& system, const fs::path& own) {
  std::error_code failed;
  if (::access((system / "hearth.db").c_str(), R_OK) == 0) return {system};
  if (fs::exists(own / "hearth.db", failed)) return {own};
  return {fs::is_directory(system, failed) ? system : own};
}

StateDir state_dir_from(std::string_view given) {
  return given.empty() ? default_state_dir() : StateDir{fs::absolute(given).lexically_normal()};
}

}  // namespace hearth
