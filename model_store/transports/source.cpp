#include "model_store/transports/source.h"

#include <algorithm>

#include "base/files.h"
#include "model_store/pack_layout.h"

namespace hearth::store {
namespace fs = std::filesystem;
namespace {
constexpr size_t kMaxLayouts = 64, kMaxFolders = 4096;  // a stick full of other things is still quick to look at

bool is_network(const std::string& text) {
  for (std::string_view scheme : {"http:", "https:", "docker:", "oci:", "registry:"})
    if (text.starts_with(scheme)) return true;
  return false;
}

Result<std::vector<fs::path>> folders_in(const fs::path& source) {
  std::error_code ec;
  std::vector<fs::path> out;
  size_t n_seen = 0;
  for (fs::directory_iterator it(source, ec), end; !ec && it != end && ++n_seen <= kMaxFolders; it.increment(ec)) {
    std::error_code ignored;
    if (it->symlink_status(ignored).type() == fs::file_type::directory) out.push_back(it->path());
  }
  if (ec) return errno_error("read folder", source, ec.value());
  std::sort(out.begin(), out.end());
  return out;
}
}  // namespace

Result<std::vector<fs::path>> find_layouts(const fs::path& source) {
  if (is_network(source.string()))
    return error(Code::unimplemented,
                 "packs from the network are not supported yet: download the pack on another machine, put it on a "
                 "stick and install it from there");
  std::error_code ec;
  if (!fs::is_directory(source, ec))
    return error(Code::not_found, "{} is not a folder; name the folder or the stick that holds the pack",
                 source.string());
  if (PackLayout::is_layout(source)) return std::vector{source};
  std::vector<fs::path> out;
  for (const fs::path& folder : TRY(folders_in(source)))
    if (out.size() < kMaxLayouts && PackLayout::is_layout(folder)) out.push_back(folder);
  return out;
}

}  // namespace hearth::store
