// Which base an adapter's folder belongs to.
#include <unistd.h>

#include "base/files.h"
#include "base/json.h"
#include "model_store/formats/adapters/adapter.h"
#include "model_store/formats/config_json.h"

namespace hearth {
namespace fs = std::filesystem;
namespace {
constexpr const char* kBaseLink = ".base";
}  // namespace

bool is_adapter_folder(const fs::path& path) {
  std::error_code ec;
  for (const char* whole : {"model.safetensors", "model.safetensors.index.json"})
    if (fs::exists(path / whole, ec)) return false;  // it only lies beside a model
  return fs::exists(path / "adapter_config.json", ec);
}

Result<std::string> base_model_in(const fs::path& folder) {
  const std::string text = TRY(read_file(folder / "adapter_config.json", kMaxConfigBytes));
  const Json json = TRY_WITH(parse_json(text), "in adapter_config.json");
  return TRY_WITH(json_get_or<std::string>(json, "base_model_name_or_path", ""), "in adapter_config.json");
}

// One step and no further: a .gguf in the store is itself a link to a blob, which has no such ending.
static fs::path link_target(const fs::path& link) {
  std::error_code ec;
  const fs::path target = link.parent_path() / fs::read_symlink(link, ec);
  return fs::weakly_canonical(target.parent_path(), ec) / target.filename();
}

Result<fs::path> base_of_adapter(const fs::path& folder) {
  std::error_code ec;
  const std::string name = TRY(base_model_in(folder));
  fs::path base;
  if (fs::exists(folder / kBaseLink, ec))
    base = link_target(folder / kBaseLink);
  else if (!name.empty() && fs::exists(name, ec))
    base = name;
  if (!base.empty() && is_adapter_folder(base))
    return error(Code::unimplemented, "{} is an adapter of an adapter ({}); merge that one first (`hearth export`)",
                 folder.string(), base.string());
  if (!base.empty()) return base;
  return error(Code::failed_precondition,
               "{} is an adapter of \"{}\", whose files are not known; import both: `hearth import {} --base NAME`, "
               "where NAME is its base model in the store",
               folder.string(), name.empty() ? "a model that it does not name" : name.substr(0, 200), folder.string());
}

Result<void> link_base(const fs::path& folder, const fs::path& target) {
  std::error_code ec;
  const fs::path link = folder / kBaseLink, fresh = folder / fmt::format("{}.{}", kBaseLink, ::getpid());
  if (fs::read_symlink(link, ec) == target && !ec) return {};
  ::unlink(fresh.c_str());
  if (::symlink(target.c_str(), fresh.c_str()) != 0) return errno_error("link", fresh, errno);
  if (::rename(fresh.c_str(), link.c_str()) == 0) return {};
  const int problem = errno;
  ::unlink(fresh.c_str());
  return errno_error("link", link, problem);
}

}  // namespace hearth
