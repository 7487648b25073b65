#include "appliance/hearthd/endpoints/named_path.h"

namespace hearth {
namespace fs = std::filesystem;

static bool is_of_this_box(std::string_view remote) {
  return remote == "unix" || remote == "::1" || remote.starts_with("127.") || remote.starts_with("::ffff:127.");
}

Result<void> check_may_name(const http::Request& request, const Service& service, const std::string& path) {
  if (is_of_this_box(request.remote)) return {};
  std::error_code failed;
  const fs::path named = fs::path(path).lexically_normal(), real = fs::weakly_canonical(named, failed);
  std::vector<fs::path> real_roots;
  for (const fs::path& root : service.sources.roots) real_roots.push_back(fs::weakly_canonical(root, failed));
  if (named.is_absolute() && is_below(named, service.sources.roots) && is_below(real, real_roots)) return {};
  std::vector<std::string> roots;
  for (const fs::path& root : service.sources.roots) roots.push_back(root.string());
  return error(
      Code::permission_denied,
      "from another machine only sticks and other media can be named (below {}); for a folder of the box itself, "
      "use Hearth on the box",
      fmt::join(roots, ", "));
}

}  // namespace hearth
