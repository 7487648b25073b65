// Allowed by name: weights, configuration, tokenizer and template files, documentation. Everything else stays behind:
// code is never run, optimizer states are no model, and pickled weights can execute what they like.
#include "model_store/import_files.h"

#include <fcntl.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "model_store/copy.h"
#include "model_store/file_names.h"
#include "model_store/formats/gguf_split.h"
#include "model_store/formats/text_side.h"

namespace hearth::store {
namespace fs = std::filesystem;
namespace {
constexpr uint64_t kMaxSmallFileBytes = uint64_t{256} << 20;  // everything but weights
constexpr uint64_t kMaxShardIndexBytes = uint64_t{64} << 20;
constexpr size_t kMaxFiles = 4096;
constexpr const char* kShardIndex = "model.safetensors.index.json";

bool ends_with_any(std::string_view name, std::initializer_list<std::string_view> suffixes) {
  return std::any_of(suffixes.begin(), suffixes.end(), [&](std::string_view suffix) { return name.ends_with(suffix); });
}
bool is_weight(std::string_view name) {
  return ends_with_any(name, {".safetensors", ".gguf"});
}
bool is_pickle(std::string_view name) {
  return ends_with_any(name, {".bin", ".pt", ".pth", ".ckpt", ".pkl"});
}
bool is_wanted(std::string_view name) {
  if (name.starts_with('.')) return false;
  return is_weight(name) || ends_with_any(name, {".json", ".jinja", ".model", ".txt", ".md"}) ||
         name.starts_with("LICENSE") || name.starts_with("NOTICE");
}

bool has(const std::vector<ImportFile>& files, std::string_view name) {
  return std::any_of(files.begin(), files.end(), [&](const ImportFile& file) { return file.name == name; });
}
size_t count_ending(const std::vector<ImportFile>& files, std::string_view suffix) {
  return static_cast<size_t>(
      std::count_if(files.begin(), files.end(), [&](const ImportFile& file) { return file.name.ends_with(suffix); }));
}

Result<ImportFile> describe(const fs::path& path) {
  Fd fd = TRY(open_regular(AT_FDCWD, path, true));
  uint64_t size_bytes = TRY(size_of(fd, path));
  ImportFile file{path.filename().string(), path, size_bytes};
  TRY(check_file_name(file.name));
  if (!is_weight(file.name) && file.size_bytes > kMaxSmallFileBytes)
    return error(Code::invalid_argument, "{} has {} bytes; only weights may be larger than {} MiB", path.string(),
                 file.size_bytes, kMaxSmallFileBytes >> 20);
  return file;
}

// A clone without large-file support leaves small text files where the weights should be.
Result<void> refuse_lfs_pointer(const ImportFile& file) {
  if (file.size_bytes > 1024 || !is_weight(file.name)) return {};
  std::string text = TRY(read_file(file.path, 1024));
  if (!text.starts_with("version https://git-lfs")) return {};
  return error(Code::failed_precondition,
               "{} is only a Git LFS pointer, not the weights; fetch the real file with `git lfs pull`",
               file.path.string());
}

// The shards that the index names; all of them must be there.
Result<std::set<std::string>> shards_of(const std::vector<ImportFile>& files, const fs::path& folder) {
  std::string text = TRY(read_file(folder / kShardIndex, kMaxShardIndexBytes));
  Json json = TRY_WITH(parse_json(text), "in {}", kShardIndex);
  Json map = TRY_WITH(json_get<Json>(json, "weight_map"), "in {}", kShardIndex);
  std::set<std::string> out;
  for (const Json& shard : map) {
    if (!shard.is_string()) return error(Code::invalid_argument, "{}: weight_map must name files", kShardIndex);
    if (!has(files, shard.get<std::string>()))
      return error(Code::failed_precondition, "{} names the file {}, which is not there: the download is not complete",
                   kShardIndex, shard.get<std::string>());
    out.insert(shard.get<std::string>());
  }
  return out;
}

// A Hugging Face cache is made of links into blobs/; a download that was cut leaves some that lead nowhere.
bool leads_nowhere(const fs::path& path) {
  std::error_code ec;
  return fs::is_symlink(fs::symlink_status(path, ec)) && !fs::exists(path, ec);
}

Result<void> refuse_dangling(const fs::path& folder, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  return error(Code::failed_precondition,
               "in {} these files are links to files that are not there: {}; the download is not complete, get the "
               "model again",
               folder.string(), fmt::join(names, ", "));
}

// The files of interest in one folder of the model, called `prefix` + name.
Result<void> add_wanted(const fs::path& folder, const std::string& prefix, std::vector<ImportFile>& out,
                        bool& has_pickle) {
  std::error_code ec;
  std::vector<std::string> dangling;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    std::string name = it->path().filename().string();
    std::error_code ignored;
    if (is_wanted(name) && leads_nowhere(it->path())) dangling.push_back(prefix + name);
    if (!fs::is_regular_file(it->path(), ignored)) continue;  // follows links
    has_pickle |= is_pickle(name);
    if (!is_wanted(name)) continue;
    if (out.size() == kMaxFiles)
      return error(Code::invalid_argument, "{} has more than {} files; it is not a model's folder", folder.string(),
                   kMaxFiles);
    out.push_back(TRY(describe(it->path())));
    out.back().name = prefix + name;
  }
  if (ec && ec != std::errc::no_such_file_or_directory) return errno_error("read folder", folder, ec.value());
  std::sort(dangling.begin(), dangling.end());
  return refuse_dangling(folder, dangling);
}

Result<std::vector<ImportFile>> list_wanted(const fs::path& folder, bool& has_pickle) {
  std::vector<ImportFile> out;
  TRY(add_wanted(folder, "", out, has_pickle));
  // What the loader reads in folders of their own: how an embedder pools, further chat templates.
  bool ignored = false;
  for (const std::string inner : {"1_Pooling", kTemplateFolder})
    TRY(add_wanted(folder / inner, inner + "/", out, ignored));
  std::sort(out.begin(), out.end(), [](const ImportFile& a, const ImportFile& b) { return a.name < b.name; });
  return out;
}

// Which safetensors are the model. Some folders hold the same weights a second time in the maker's own names, or other
// tensors altogether: what the index names counts, else the usual name, else everything.
Result<std::set<std::string>> weights_of(const std::vector<ImportFile>& files, const fs::path& folder) {
  if (has(files, kShardIndex)) return shards_of(files, folder);
  for (const char* usual : {"model.safetensors", "adapter_model.safetensors"})
    if (has(files, usual)) return std::set<std::string>{usual};
  std::set<std::string> out;
  for (const ImportFile& file : files)
    if (file.name.ends_with(".safetensors")) out.insert(file.name);
  return out;
}

Result<std::vector<ImportFile>> from_folder(const fs::path& folder) {
  bool has_pickle = false;
  std::vector<ImportFile> files = TRY(list_wanted(folder, has_pickle));
  if (count_ending(files, ".safetensors") > 0) {
    if (!has(files, "config.json") && !has(files, "adapter_config.json"))
      return error(Code::invalid_argument, "{} has weights but neither config.json nor adapter_config.json",
                   folder.string());
    std::set<std::string> weights = TRY(weights_of(files, folder));
    std::erase_if(files, [&](const ImportFile& file) { return is_weight(file.name) && !weights.contains(file.name); });
    return files;
  }
  const std::vector<fs::path> ggufs = gguf_models_in(folder);
  if (ggufs.size() > 1)
    return error(Code::invalid_argument, "{} holds {} .gguf models; name the one to import", folder.string(),
                 ggufs.size());
  if (ggufs.size() == 1) {
    TRY(gguf_parts(ggufs[0]));
    return files;
  }
  if (has_pickle)
    return error(Code::invalid_argument,
                 "{} has only pickled weights (.bin, .pt), which can run code when loaded and are refused; save them "
                 "as .safetensors",
                 folder.string());
  std::error_code ec;
  if (fs::is_directory(folder / "snapshots", ec))
    return error(Code::invalid_argument,
                 "{} is a model's folder in the Hugging Face cache; name the snapshot in it: {}/snapshots/...",
                 folder.string(), folder.string());
  return error(Code::invalid_argument, "{} holds no model: expected .safetensors with config.json, or one .gguf",
               folder.string());
}

Result<std::vector<ImportFile>> beside(const fs::path& weights) {
  bool has_pickle = false;
  fs::path folder = weights.has_parent_path() ? weights.parent_path() : fs::path(".");
  std::vector<ImportFile> files = TRY(list_wanted(folder, has_pickle));
  std::erase_if(files, [&](const ImportFile& file) { return is_weight(file.name) && file.name != weights.filename(); });
  std::erase_if(files, [&](const ImportFile& file) { return file.name == kShardIndex; });
  if (!has(files, "config.json"))
    return error(Code::invalid_argument, "{} needs a config.json beside it", weights.string());
  return files;
}

Result<std::vector<ImportFile>> from_file(const fs::path& file) {
  std::string name = file.filename().string();
  if (name.ends_with(".gguf")) {
    std::vector<ImportFile> out;
    for (const fs::path& part : TRY(gguf_parts(file))) out.push_back(TRY(describe(part)));
    return out;
  }
  if (name.ends_with(".safetensors")) return beside(file);
  if (is_pickle(name))
    return error(Code::invalid_argument,
                 "{} is pickled, which can run code when loaded, and is refused; save the weights as .safetensors",
                 file.string());
  return error(Code::invalid_argument, "{} is no model: expected a folder, a .gguf or a .safetensors", file.string());
}
}  // namespace

Result<std::vector<ImportFile>> find_import_files(const fs::path& path) {
  std::error_code ec;
  if (!fs::exists(path, ec)) return error(Code::not_found, "{} does not exist", path.string());
  std::vector<ImportFile> files = TRY(fs::is_directory(path, ec) ? from_folder(path) : from_file(path));
  for (const ImportFile& file : files) TRY(refuse_lfs_pointer(file));
  return files;
}

}  // namespace hearth::store
