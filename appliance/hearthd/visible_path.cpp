// The system service runs with ProtectHome=yes: home folders are there for it, but closed.
#include "appliance/hearthd/visible_path.h"

namespace hearth {
namespace fs = std::filesystem;

static bool is_below_home(const fs::path& path) {
  std::string text = path.lexically_normal().string();
  for (std::string_view home : {"/home/", "/root/", "/run/user/"})
    if (text.starts_with(home) || text + "/" == home) return true;
  return false;
}

Error cannot_see(const fs::path& path, const std::error_code& failed) {
  bool is_closed = failed == std::errc::permission_denied || failed == std::errc::operation_not_permitted;
  if (is_closed && is_below_home(path))
    return error(Code::permission_denied,
                 "the service cannot read home folders, so it cannot see {}; copy it to a stick, or to a folder "
                 "outside of them, for example below /srv",
                 path.string());
  if (is_closed)
    return error(Code::permission_denied,
                 "the service may not read {}; give the user hearth access to it, or copy it to a stick",
                 path.string());
  return error(Code::not_found, "there is nothing at {}", path.string());
}

Result<void> check_visible(const fs::path& path) {
  std::error_code failed;
  if (fs::exists(path, failed)) return {};
  return cannot_see(path, failed);
}

}  // namespace hearth
