// The system service runs with ProtectHome=yes: home folders are there for it, but closed.
#include "appliance/box/visible_path.h"

#include <unistd.h>

namespace hearth {
namespace fs = std::filesystem;

Result<void> check_visible(const fs::path& path, Wanted wanted) {
  std::error_code failed;
  const bool is_folder = fs::is_directory(path, failed);
  const bool is_wanted = is_folder || (wanted == Wanted::anything && fs::exists(path, failed));
  if (is_wanted && ::access(path.c_str(), is_folder ? R_OK | X_OK : R_OK) == 0) return {};
  return error(Code::not_found,
               "the service sees {} at {}: check the path. Home folders, and what the service's user may not read, are "
               "closed to it: copy what is there to a stick, or to a folder such as /srv",
               wanted == Wanted::folder ? "no folder" : "nothing", path.string());
}

}  // namespace hearth
