// Looking at what a source holds: documents, signatures and sizes, and on request every byte.
#include "model_store/copy.h"
#include "model_store/model_names.h"
#include "model_store/pack_search.h"
#include "model_store/placement.h"
#include "model_store/store_impl.h"
#include "model_store/transports/source.h"

namespace hearth::store {
namespace fs = std::filesystem;
namespace {

PackSummary summarise(const PackLayout& layout, const FoundPack& found, const TrustedKeys& keys) {
  PackSummary out;
  out.digest = found.entry.digest.text();
  out.layout = layout.folder();
  out.display_name = display_name_of(found.entry.annotation(oci::kRefName));
  auto present = found.pack ? check_presence(layout, *found.pack) : Result<void>(found.pack.error());
  if (found.pack) {
    out.display_name = display_name_in(*found.pack);
    out.version = found.pack->info.version;
    out.description = found.pack->info.description;
    out.license = found.pack->info.license;
    out.size_bytes = found.pack->size_bytes;
  }
  out.name = make_model_name(out.display_name);
  if (out.display_name.empty()) out.display_name = out.name;
  if (!present) {
    out.trust = Trust::damaged;
    out.problem = present.error().to_string();
    return out;
  }
  TrustedKeys::Verdict verdict = keys.judge(find_signatures(layout, found.entry.digest), found.entry.digest);
  out.trust = verdict.trust;
  out.signer = verdict.signer;
  out.problem = verdict.problem;
  return out;
}

PackSummary broken_layout(const fs::path& folder, const Error& problem) {
  PackSummary out;
  out.display_name = display_name_of(folder.filename().string());
  out.name = make_model_name(out.display_name);
  out.layout = folder;
  out.problem = problem.to_string() + "; get a fresh copy of the pack";
  return out;
}

// The name that it has here, where it is installed or its publisher's older one is.
Result<void> add_what_is_here(const Catalog* models, const Result<Pack>& whole, PackSummary& pack) {
  if (!models) return {};
  auto name = TRY(models->name_of(pack.digest));
  pack.installed = name.has_value();
  if (!name && !pack.signer.empty())
    if (auto mine = TRY(models->find_pack(pack.signer, pack.display_name))) {
      name = mine->record.name;
      pack.installed = whole && is_same_content(mine->record, entry_of(*whole).record);
    }
  if (name) pack.name = *name;
  return {};
}
}  // namespace

Result<std::vector<PackSummary>> Store::scan(const fs::path& source) const {
  TrustedKeys keys = TRY(impl_->keys());
  Catalog* models = TRY(impl_->catalog());
  std::vector<PackSummary> out;
  for (const fs::path& folder : TRY(find_layouts(source))) {
    auto layout = PackLayout::open(folder);
    if (!layout) {
      out.push_back(broken_layout(folder, layout.error()));
      continue;
    }
    for (const FoundPack& found : packs_in(*layout)) {
      out.push_back(summarise(*layout, found, keys));
      TRY(add_what_is_here(models, found.pack, out.back()));
    }
  }
  return out;
}

Result<PackSummary> Store::check_pack(const fs::path& source, std::string_view digest, const Control& control) const {
  TrustedKeys keys = TRY(impl_->keys());
  LocatedPack at = TRY(locate_pack(source, digest));
  PackSummary out = summarise(at.layout, at.found, keys);
  TRY(add_what_is_here(TRY(impl_->catalog()), at.found.pack, out));
  if (out.trust == Trust::damaged) return out;
  const Pack pack = TRY(std::move(at.found.pack));
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

}  // namespace hearth::store
