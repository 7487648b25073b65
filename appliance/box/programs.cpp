#include "appliance/box/programs.h"

#include <unistd.h>

#include <cstdlib>
#include <vector>

namespace hearth {
namespace fs = std::filesystem;

static fs::path own_folder() {
  std::error_code failed;
  fs::path self = fs::read_symlink("/proc/self/exe", failed);
  return failed ? fs::path() : self.parent_path();
}

fs::path find_worker(std::string_view name) {
  fs::path here = own_folder();
  std::vector<fs::path> places = {here / name, "/usr/libexec/hearth" / fs::path(name),
                                  here / ".." / "libexec" / "hearth" / name};
  for (const char* room : {"inference", "inference/engine", "trainer"}) places.push_back(here / ".." / room / name);
  std::string_view path = std::getenv("PATH") ? std::getenv("PATH") : "";
  while (!path.empty()) {
    std::string_view one = path.substr(0, path.find(':'));
    path.remove_prefix(std::min(path.size(), one.size() + 1));
    if (!one.empty()) places.push_back(fs::path(one) / name);
  }
  for (const fs::path& place : places)
    if (::access(place.c_str(), X_OK) == 0) return place.lexically_normal();
  return here / name;  // where it is looked for again at each start, and named when it is missing
}

fs::path find_shared(std::string_view name) {
  std::error_code failed;
  fs::path folder = (own_folder() / ".." / "share" / "hearth" / name).lexically_normal();
  return fs::is_directory(folder, failed) ? folder : fs::path();
}

}  // namespace hearth
