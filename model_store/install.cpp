// Packs: looking at what a source holds, and installing one. Order of an install: layout, manifest by digest, signature
// by a trusted key, names and sizes, space; only then a single byte of payload is copied, hashed on the way.
#include <algorithm>
#include <charconv>

#include "model_store/facts.h"
#include "model_store/file_names.h"
#include "model_store/pack.h"
#include "model_store/store_impl.h"
#include "model_store/transports/source.h"
#include "model_store/views.h"

namespace hearth::store {
namespace fs = std::filesystem;
namespace {

constexpr size_t kMaxNamedPacks = 8, kShortDigest = 19;  // in messages; "sha256:" and 12 digits

bool may_be_model(const oci::Descriptor& entry) {
  if (entry.media_type != oci::kManifestType || entry.annotation(oci::kRefName).ends_with(".sig")) return false;
  return entry.artifact_type.empty() || entry.artifact_type == oci::kModelType;
}

Result<Pack> pack_of(const PackLayout& layout, const oci::Descriptor& entry) {
  return read_pack(entry, [&](const oci::Descriptor& d, uint64_t limit) { return layout.read_document(d, limit); });
}

Result<void> check_presence(const PackLayout& layout, const Pack& pack) {
  for (const oci::Descriptor& layer : pack.manifest.layers) TRY(layout.check_presence(layer));
  return {};
}

PackSummary summarise(const PackLayout& layout, const oci::Descriptor& entry, const TrustedKeys& keys) {
  PackSummary out;
  out.digest = entry.digest.text();
  out.layout = layout.folder();
  out.name = make_model_name(entry.annotation(oci::kRefName));
  auto pack = pack_of(layout, entry);
  auto present = pack ? check_presence(layout, *pack) : Result<void>(pack.error());
  if (pack) {
    out.name = name_in(*pack);
    out.version = pack->info.version;
    out.description = pack->info.description;
    out.license = pack->info.license;
    out.size_bytes = pack->size_bytes;
  }
  if (!present) {
    out.trust = Trust::damaged;
    out.problem = present.error().to_string();
    return out;
  }
  TrustedKeys::Verdict verdict = keys.judge(find_signatures(layout, entry.digest), entry.digest);
  out.trust = verdict.trust;
  out.signer = verdict.signer;
  out.problem = verdict.problem;
  return out;
}

// Index entries that are models; entries whose manifest cannot be read count too, so that damage is shown, not hidden.
std::vector<oci::Descriptor> model_entries(const PackLayout& layout) {
  std::vector<oci::Descriptor> out;
  for (const oci::Descriptor& entry : layout.index()) {
    if (!may_be_model(entry)) continue;
    auto text = layout.read_document(entry, oci::kMaxManifestBytes);
    auto manifest = text ? oci::parse_manifest(*text) : Result<oci::Manifest>(text.error());
    if (!manifest || manifest->is_model()) out.push_back(entry);
  }
  return out;
}

PackSummary broken_layout(const fs::path& folder, const Error& problem) {
  PackSummary out;
  out.name = make_model_name(folder.filename().string());
  out.layout = folder;
  out.problem = problem.to_string() + "; get a fresh copy of the pack";
  return out;
}

struct Located {
  PackLayout layout;
  oci::Descriptor entry;
};

Error no_pack(const fs::path& source, std::string_view digest) {
  if (digest.empty())
    return error(Code::not_found,
                 "{} holds no model pack: expected an OCI image layout (oci-layout, index.json, blobs) there or one "
                 "folder below",
                 source.string());
  return error(Code::not_found, "{} holds no pack with the digest {}; scan it again", source.string(),
               digest.substr(0, 80));
}

Result<Located> locate(const fs::path& source, std::string_view digest) {
  if (!digest.empty()) TRY(Digest::parse(digest));
  std::optional<Located> found;
  std::optional<Error> broken;
  std::string names;
  size_t n_found = 0;
  for (const fs::path& folder : TRY(find_layouts(source))) {
    auto layout = PackLayout::open(folder);
    if (!layout) {
      broken = layout.error();
      continue;
    }
    for (oci::Descriptor& entry : model_entries(*layout)) {
      if (!digest.empty() && entry.digest.text() != digest) continue;
      if (n_found < kMaxNamedPacks) {
        auto pack = pack_of(*layout, entry);
        names += fmt::format("{}{} {}", names.empty() ? "" : ", ", pack ? name_in(*pack) : "unreadable",
                             entry.digest.text().substr(0, kShortDigest));
      }
      if (n_found++ > 0) continue;
      PackLayout again = TRY(PackLayout::open(folder));  // the loop still walks through the first one
      found.emplace(Located{std::move(again), std::move(entry)});
    }
  }
  if (!found) return broken ? *broken : no_pack(source, digest);
  if (digest.empty() && n_found > 1)
    return error(Code::invalid_argument, "{} holds {} packs; say which one by its digest: {}", source.string(), n_found,
                 names);
  return std::move(*found);
}

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
  if (!options.name.empty()) entry.record.name = options.name;
  entry.record.source = options.bundled ? "bundled" : "pack from " + source.string();
  entry.record.signer = verdict.signer;
  entry.record.bundled = options.bundled;
  entry.signature = verdict.signature;
  return entry;
}

// Whether version a is older than b: numbers between the dots are compared as numbers. Equal ones are not.
bool is_older(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    uint64_t left = 0, right = 0;
    const size_t a_end = std::min(a.find('.'), a.size()), b_end = std::min(b.find('.'), b.size());
    std::from_chars(a.data(), a.data() + a_end, left);
    std::from_chars(b.data(), b.data() + b_end, right);
    if (left != right) return left < right;
    a.remove_prefix(std::min(a_end + 1, a.size()));
    b.remove_prefix(std::min(b_end + 1, b.size()));
  }
  return false;
}

// An update comes from who signed what it replaces, and is not older.
Result<void> check_update(const ModelRecord& old, const ModelRecord& fresh) {
  if (old.signer != fresh.signer)
    return error(
        Code::failed_precondition,
        "{} here was signed by another publisher ({}) than this pack ({}); remove it first if you want this one",
        old.name, old.signer.empty() ? "nobody" : old.signer.substr(0, 24), fresh.signer.substr(0, 24));
  if (is_older(fresh.version, old.version))
    return error(Code::failed_precondition,
                 "{} {} is older than version {}, which is installed; remove that one first to go back", fresh.name,
                 fresh.version, old.version);
  return {};
}

Result<void> check_name_free(Catalog& catalog, const ModelRecord& record, bool replace) {
  TRY(check_model_name(record.name));
  auto existing = TRY(catalog.find(record.name));
  if (!existing || existing->record.digest == record.digest) return {};
  if (replace) return check_update(existing->record, record);
  return error(Code::already_exists,
               "there is already another model named {}; choose a name (--name), or remove that one first",
               record.name);
}

Result<void> inspect_installed(const Staging& staging, ModelRecord& record) {
  fs::path folder = staging.folder() / "view";
  TRY(make_folders(folder));
  TRY(link_files(folder, record.files, [&](const Digest& digest) { return staging.find(digest); }));
  TRY(read_facts(folder, record));
  return {};
}
}  // namespace

Result<std::vector<PackSummary>> Store::scan(const fs::path& source) const {
  TrustedKeys keys = TRY(impl_->keys());
  Catalog* models = TRY(impl_->catalog());
  std::vector<PackSummary> out;
  for (const fs::path& folder : TRY(find_layouts(source))) {
    auto layout = PackLayout::open(folder);
    if (!layout)
      out.push_back(broken_layout(folder, layout.error()));
    else
      for (const oci::Descriptor& entry : model_entries(*layout)) {
        out.push_back(summarise(*layout, entry, keys));
        if (models) out.back().installed = TRY(models->name_of(out.back().digest)).has_value();
      }
  }
  return out;
}

Result<PackSummary> Store::check_pack(const fs::path& source, std::string_view digest, const Control& control) const {
  TrustedKeys keys = TRY(impl_->keys());
  Located at = TRY(locate(source, digest));
  PackSummary out = summarise(at.layout, at.entry, keys);
  if (Catalog* models = TRY(impl_->catalog())) out.installed = TRY(models->name_of(out.digest)).has_value();
  if (out.trust == Trust::damaged) return out;
  Pack pack = TRY(pack_of(at.layout, at.entry));
  Meter meter(control, pack.size_bytes);
  for (const oci::Descriptor& layer : pack.manifest.layers) {
    fs::path path = at.layout.blob_path(layer.digest);
    auto found = hash_exactly(TRY(at.layout.open_blob(layer.digest)), path, layer.size_bytes, meter);
    if (found && *found == layer.digest) continue;
    if (!found && found.error().code == Code::cancelled) return found.error();
    out.trust = Trust::damaged;
    out.problem = found ? path.string() + " is damaged: its content does not match its name; get a fresh copy"
                        : found.error().to_string();
    return out;
  }
  return out;
}

Result<ModelRecord> Store::install(const fs::path& source, std::string_view digest, const InstallOptions& options,
                                   const Control& control) {
  TRY(impl_->require_writer());
  std::lock_guard changing(impl_->changing);
  TrustedKeys keys = TRY(impl_->keys());
  Located at = TRY_WITH(locate(source, digest), "while installing from {}", source.string());
  Pack pack = TRY_WITH(pack_of(at.layout, at.entry), "while installing from {}", source.string());
  TrustedKeys::Verdict verdict = keys.judge(find_signatures(at.layout, at.entry.digest), at.entry.digest);
  if (verdict.trust != Trust::trusted) return refused(verdict, name_in(pack));
  TRY_WITH(check_presence(at.layout, pack), "while installing {}", name_in(pack));
  CatalogEntry entry = new_entry(pack, verdict, source, options);
  TRY(check_name_free(*TRY(impl_->catalog()), entry.record, options.replace));
  TRY(impl_->blobs.check_space(missing_bytes(impl_->blobs, pack)));

  Staging staging = TRY(impl_->blobs.stage());
  Meter meter(control, pack.size_bytes);
  for (const oci::Descriptor& layer : pack.manifest.layers)
    TRY_WITH(stage_layer(*impl_, staging, at.layout, layer, meter, control), "while installing {}", entry.record.name);
  TRY(staging.add_bytes(pack.manifest_text));
  TRY(staging.add_bytes(pack.config_text));
  TRY_WITH(inspect_installed(staging, entry.record), "while installing {}", entry.record.name);
  TRY(meter.check());
  return impl_->commit(staging, std::move(entry));
}

}  // namespace hearth::store
