// Import: ordinary model files of this box become a model of the store, described as a ModelPack so that it can be
// exported, signed and verified like one that came as a pack.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/json.h"
#include "model_store/adapter_base.h"
#include "model_store/facts.h"
#include "model_store/formats/adapters/adapter.h"
#include "model_store/formats/load.h"
#include "model_store/import_files.h"
#include "model_store/model_names.h"
#include "model_store/oci.h"
#include "model_store/placement.h"
#include "model_store/store_impl.h"
#include "model_store/views.h"

namespace hearth::store {
namespace fs = std::filesystem;
namespace {

oci::Descriptor describe(std::string_view media_type, const BlobInfo& blob) {
  return {std::string(media_type), "", blob.digest, blob.size_bytes, {}};
}

// Copying this much again is worth remembering where it stopped.
constexpr uint64_t kWorthResuming = uint64_t{64} << 20;

// What a staged copy is a copy of: another file, or one changed since, has another identity.
Result<std::string> identity_of(const std::vector<ImportFile>& files) {
  std::string out;
  for (const ImportFile& file : files) {
    struct stat st {};
    if (::stat(file.path.c_str(), &st) != 0) return errno_error("stat", file.path, errno);
    out += fmt::format("{}\n{} {} {} {}.{}\n", fs::absolute(file.path).string(), file.size_bytes, st.st_dev, st.st_ino,
                       st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
  }
  return out;
}

Result<Staging> stage_for(const Blobs& blobs, const std::vector<ImportFile>& files, uint64_t total_bytes, bool adopt) {
  if (adopt || total_bytes < kWorthResuming) return blobs.stage();
  return blobs.stage_again(TRY(identity_of(files)));
}

Result<ModelFile> stage_file(Staging& staging, const ImportFile& file, bool adopt, size_t index, Meter& meter) {
  Fd in = TRY(open_regular(AT_FDCWD, file.path, true));
  BlobInfo blob = TRY(adopt ? staging.adopt_file(in, file.path, file.size_bytes, meter)
                            : staging.add_file(in, file.path, file.size_bytes, std::nullopt, meter, index));
  return ModelFile{file.name, blob.digest.text(), blob.size_bytes};
}

// The loader's check on the files where they are, before any is copied: a folder with links to nothing but those to be
// imported. Errors speak of the user's folder.
Result<void> ask_loader(const fs::path& folder, const std::vector<ImportFile>& files) {
  TempFolder made = TRY(TempFolder::create("hearth-import"));
  std::vector<ModelFile> names;
  for (const ImportFile& file : files) {
    const fs::path link = made.path() / file.name;
    TRY(make_folders(link.parent_path()));
    std::error_code ec;
    fs::create_symlink(fs::absolute(file.path), link, ec);
    if (ec) return errno_error("link", link, ec.value());
    names.push_back({file.name, {}, file.size_bytes});
  }
  return check_runs(made.path(), names, folder.string());
}

// A folder that looks like the finished view, so that the files are inspected exactly as they will be loaded.
Result<ModelFacts> inspect_staged(const Staging& staging, ModelRecord& record) {
  fs::path folder = staging.folder() / "view";
  TRY(make_folders(folder));
  TRY(link_files(folder, record.files, [&](const Digest& digest) { return staging.find(digest); }));
  if (record.license.empty()) record.license = license_of(folder);
  return read_facts(folder, record);
}

oci::ModelInfo info_of(const ModelRecord& record, const ModelFacts& facts) {
  return {record.display_name, record.version, record.description, record.license,
          record.family,       facts.format,   record.dtype,       oci::param_size_text(record.n_params)};
}

// Manifest and configuration, the same bytes for the same files and metadata.
Result<void> stage_documents(Staging& staging, const ModelFacts& facts, CatalogEntry& entry) {
  std::vector<oci::Descriptor> layers;
  for (const ModelFile& file : entry.record.files) {
    BlobInfo blob{TRY(Digest::parse(file.digest)), file.size_bytes};
    layers.push_back(describe(oci::media_type_for(file.name), blob));
    layers.back().annotations[std::string(oci::kFilePath)] = file.name;
  }
  BlobInfo config = TRY(staging.add_bytes(oci::write_model_config(info_of(entry.record, facts), layers)));
  oci::Manifest manifest{
      std::string(oci::kModelType), describe(oci::kModelConfigType, config), layers, std::nullopt, {}};
  if (entry.record.parent) manifest.annotations[std::string(oci::kParent)] = *entry.record.parent;
  BlobInfo blob = TRY(staging.add_bytes(oci::write_manifest(manifest)));
  entry.config_digest = config.digest.text();
  entry.config_bytes = config.size_bytes;
  entry.record.digest = blob.digest.text();
  entry.manifest_bytes = blob.size_bytes;
  return {};
}

// What people say of a model: a line or a few, for catalogs and packs.
Result<void> check_fact(const char* what, const std::string& text) {
  constexpr size_t kMostBytes = 4096;
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (text.size() <= kMostBytes && std::ranges::none_of(text, is_control)) return {};
  return error(Code::invalid_argument, "the {} must have at most {} bytes and no control characters", what, kMostBytes);
}

Result<CatalogEntry> new_entry(const fs::path& path, const ImportOptions& options) {
  TRY(check_fact("version", options.version));
  TRY(check_fact("license", options.license));
  TRY(check_fact("description", options.description));
  CatalogEntry entry;
  ModelRecord& record = entry.record;
  fs::path name = path.lexically_normal();
  if (!name.has_filename()) name = name.parent_path();
  std::error_code ignored;
  const std::string asked =
      options.name.empty() ? (fs::is_directory(path, ignored) ? name.filename() : name.stem()).string() : options.name;
  record.name = options.name.empty() ? make_model_name(asked) : TRY(requested_model_name(asked));
  record.display_name = display_name_of(options.display_name.empty() ? asked : options.display_name);
  if (record.display_name.empty()) record.display_name = record.name;
  record.version = options.version;
  record.license = options.license;
  record.description = options.description;
  record.origin =
      options.training_job.empty() ? Origin{"import", path.string()} : Origin{"training", options.training_job};
  record.parent = options.parent;
  return entry;
}

// Only an adapter is imported with a base; a model that was trained here has what it was trained from as its parent.
Result<void> check_base(const fs::path& path, const ImportOptions& options) {
  if (!options.parent || !options.training_job.empty() || is_adapter_folder(path)) return {};
  return error(Code::invalid_argument, "it is no adapter, so it has no base model; leave out --base {}",
               options.parent->substr(0, 80));
}

// The folder of an adapter whose weights were named.
fs::path import_path(const fs::path& path) {
  return path.filename() == "adapter_model.safetensors" && is_adapter_folder(path.parent_path()) ? path.parent_path()
                                                                                                 : path;
}
}  // namespace

// Before anything is copied: it fits its base, as when it is loaded.
Result<void> Store::Impl::check_adapter(const fs::path& folder, ModelRecord& record) {
  Catalog* models = TRY(catalog());
  record.parent = TRY(find_base(folder, record.parent, TRY(models->list()))).name;
  const ModelConfig base = TRY(load_config(TRY(base_path(record))));
  TRY_WITH(read_adapter(folder, base), "{} is no adapter of {}", folder.string(), *record.parent);
  return {};
}

Result<ModelRecord> Store::import_model(const fs::path& given, const ImportOptions& options, const Control& control) {
  TRY(impl_->require_writer());
  std::lock_guard changing(impl_->changing);
  const fs::path path = import_path(given);
  std::vector<ImportFile> files = TRY_WITH(find_import_files(path), "while importing {}", path.string());
  CatalogEntry entry = TRY(new_entry(path, options));
  TRY_WITH(check_base(path, options), "while importing {}", path.string());
  if (is_adapter_folder(path)) TRY_WITH(impl_->check_adapter(path, entry.record), "while importing {}", path.string());
  const fs::path folder = fs::is_directory(path) ? path : path.parent_path();
  TRY_WITH(ask_loader(folder, files), "{} was not imported, since it could not be loaded", path.string());
  uint64_t total = 0;
  for (const ImportFile& file : files) total += file.size_bytes;
  Staging staging = TRY(stage_for(impl_->blobs, files, total, options.adopt));
  if (!options.adopt) TRY(impl_->blobs.check_space(total - std::min(total, staging.staged_bytes())));
  Meter meter(control, total);
  for (size_t i = 0; i < files.size(); ++i)
    entry.record.files.push_back(
        TRY_WITH(stage_file(staging, files[i], options.adopt, i, meter), "while importing {}", path.string()));
  entry.record.size_bytes = total;
  ModelFacts facts = TRY_WITH(inspect_staged(staging, entry.record), "while importing {}", path.string());
  if (!facts.is_supported) return error(Code::unimplemented, "{} was not imported: {}", path.string(), facts.why_not);
  TRY(stage_documents(staging, facts, entry));
  TRY(meter.check());

  Catalog* models = TRY(impl_->catalog());
  entry.record.name = TRY(place_import(*models, entry.record, !options.name.empty(), options.number_if_taken));
  // The same again: its files are renewed, its history stays.
  if (auto existing = TRY(models->find(entry.record.name))) entry = std::move(*existing);
  return impl_->commit(staging, std::move(entry));
}

}  // namespace hearth::store
