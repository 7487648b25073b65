// Installing a pack. Order: layout, manifest by digest, signature by a trusted key, names and sizes, space; only then a
// single byte of payload is copied, hashed on the way. Documents and signatures are read once, when the pack is opened.
#include "model_store/copy.h"
#include "model_store/facts.h"
#include "model_store/pack_search.h"
#include "model_store/placement.h"
#include "model_store/store_impl.h"
#include "model_store/views.h"

namespace hearth::store {
namespace fs = std::filesystem;

struct PackToInstall::Impl {
  PackLayout layout;
  Pack pack;
  CatalogEntry entry;
  InstallOptions options;
  std::optional<ModelRecord> replaces;
};

namespace {

Error refused(const TrustedKeys::Verdict& verdict, std::string_view name) {
  Code code = verdict.trust == Trust::damaged ? Code::data_loss : Code::permission_denied;
  return error(code, "the pack {} is refused: {}", name, verdict.problem);
}

// Copies a layer, or keeps the store's own copy when that still has the right content.
Result<void> stage_layer(Store::Impl& store, Staging& staging, const PackLayout& layout, const oci::Descriptor& layer,
                         Meter& meter, const Control& control) {
  BlobInfo blob{layer.digest, layer.size_bytes};
  std::error_code ec;
  if (fs::exists(store.blobs.path(blob.digest), ec)) {
    Control stop_only{{}, control.stop};
    Meter unreported(stop_only, blob.size_bytes);
    auto intact = store.blobs.verify(blob, unreported);
    if (intact) return meter.add(blob.size_bytes);
    if (intact.error().code == Code::cancelled) return intact;
  }
  Fd in = TRY(layout.open_blob(layer.digest));
  TRY(staging.add_file(in, layout.blob_path(layer.digest), layer.size_bytes, layer.digest, meter));
  return {};
}

uint64_t missing_bytes(const Blobs& blobs, const Pack& pack) {
  std::set<Digest> counted;
  uint64_t total = 0;
  for (const oci::Descriptor& layer : pack.manifest.layers) {
    std::error_code ec;
    if (counted.insert(layer.digest).second && !fs::exists(blobs.path(layer.digest), ec)) total += layer.size_bytes;
  }
  return total;
}

CatalogEntry new_entry(const Pack& pack, const TrustedKeys::Verdict& verdict, const fs::path& source,
                       const InstallOptions& options) {
  CatalogEntry entry = entry_of(pack);
  entry.record.origin = options.bundled ? Origin{"bundled", ""} : Origin{"pack", source.string()};
  entry.record.signer = verdict.signer;
  entry.record.bundled = options.bundled;
  entry.signature = verdict.signature;
  return entry;
}

// The same check as at import, on the files as they will be loaded.
Result<void> inspect_installed(const Staging& staging, ModelRecord& record) {
  fs::path folder = staging.folder() / "view";
  TRY(make_folders(folder));
  TRY(link_files(folder, record.files, [&](const Digest& digest) { return staging.find(digest); }));
  TRY_WITH(check_runs(folder, record.files, record.display_name),
           "the pack {} is refused, since this version of Hearth could not run it", record.display_name);
  TRY(read_facts(folder, record));
  return {};
}
}  // namespace

PackToInstall::PackToInstall(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PackToInstall::PackToInstall(PackToInstall&&) noexcept = default;
PackToInstall& PackToInstall::operator=(PackToInstall&&) noexcept = default;
PackToInstall::~PackToInstall() = default;

const ModelRecord& PackToInstall::model() const {
  return impl_->entry.record;
}
const std::optional<ModelRecord>& PackToInstall::replaces() const {
  return impl_->replaces;
}

Result<PackToInstall> Store::open_pack(const fs::path& source, std::string_view digest,
                                       const InstallOptions& options) const {
  TrustedKeys keys = TRY(impl_->keys());
  LocatedPack at = TRY_WITH(locate_pack(source, digest), "while installing from {}", source.string());
  Pack pack = TRY_WITH(std::move(at.found.pack), "while installing from {}", source.string());
  const Digest& manifest = at.found.entry.digest;
  TrustedKeys::Verdict verdict = keys.judge(find_signatures(at.layout, manifest), manifest);
  if (verdict.trust != Trust::trusted) return refused(verdict, display_name_in(pack));
  TRY_WITH(check_presence(at.layout, pack), "while installing {}", display_name_in(pack));
  CatalogEntry entry = new_entry(pack, verdict, source, options);
  Placement placement{entry.record.name, std::nullopt};
  if (Catalog* models = TRY(impl_->catalog())) placement = TRY(place_pack(*models, entry.record, options));
  entry.record.name = placement.name;
  return PackToInstall(std::make_unique<PackToInstall::Impl>(PackToInstall::Impl{
      std::move(at.layout), std::move(pack), std::move(entry), options, std::move(placement.replaces)}));
}

Result<ModelRecord> Store::install(PackToInstall opened, const Control& control) {
  TRY(impl_->require_writer());
  std::lock_guard changing(impl_->changing);
  auto& [layout, pack, entry, options, replaces] = *opened.impl_;
  // The catalog may have changed since.
  const Placement placement = TRY(place_pack(*TRY(impl_->catalog()), entry.record, options));
  if (placement.name != entry.record.name)
    return error(Code::unavailable, "another model took the name {} meanwhile; try again", entry.record.name);
  if (placement.is_here) return find(placement.name);
  TRY(impl_->blobs.check_space(missing_bytes(impl_->blobs, pack)));

  Staging staging = TRY(impl_->blobs.stage());
  Meter meter(control, pack.size_bytes);
  for (const oci::Descriptor& layer : pack.manifest.layers)
    TRY_WITH(stage_layer(*impl_, staging, layout, layer, meter, control), "while installing {}", entry.record.name);
  TRY(staging.add_bytes(pack.manifest_text));
  TRY(staging.add_bytes(pack.config_text));
  TRY_WITH(inspect_installed(staging, entry.record), "while installing {}", entry.record.name);
  if (entry.record.kind == "adapter")
    TRY_WITH(impl_->check_adapter(staging.folder() / "view", entry.record), "while installing {}", entry.record.name);
  TRY(meter.check());
  return impl_->commit(staging, std::move(entry));
}

Result<ModelRecord> Store::install(const fs::path& source, std::string_view digest, const InstallOptions& options,
                                   const Control& control) {
  TRY(impl_->require_writer());
  return install(TRY(open_pack(source, digest, options)), control);
}

}  // namespace hearth::store
