// Export: a model of the store as a signed pack in an OCI image layout, for a stick or a mirror.
#include <fcntl.h>

#include <algorithm>

#include "model_store/model_names.h"
#include "model_store/pack_search.h"
#include "model_store/store_impl.h"

namespace hearth::store {
namespace fs = std::filesystem;
namespace {

struct Signed {
  PackSignature signature;
  std::string key_id;
};

// A fresh signature with the given key, else the one the pack came with, else none.
Result<std::optional<Signed>> signature_for(const CatalogEntry& entry, const Digest& manifest,
                                            const ExportOptions& options) {
  if (options.signing_key.empty()) {
    if (!entry.signature) return std::optional<Signed>();
    return std::optional(Signed{*entry.signature, entry.record.signer});
  }
  SigningKey key = TRY(SigningKey::load(options.signing_key));
  PackSignature signature = TRY(sign_pack(key, manifest, entry.record.name));
  return std::optional(Signed{std::move(signature), key.public_key().id()});
}

// Whether a pack that has the model's tag in the layout is an older one of the same publisher's, or cannot be read.
bool may_be_replaced(const PackLayout& layout, const FoundPack& there, const ModelRecord& model,
                     std::string_view signer) {
  if (!there.pack || there.entry.digest.text() == model.digest) return true;
  if (!same_display_name(display_name_in(*there.pack), model.display_name)) return false;
  const FoundSignatures signatures = find_signatures(layout, there.entry.digest);
  if (signatures.list.empty()) return signer.empty();
  return std::any_of(signatures.list.begin(), signatures.list.end(),
                     [&](const FoundSignature& found) { return found.key_hint == signer; });
}

// The model's name, unless another's pack goes by it in the layout: that one stays.
std::string tag_for(const PackLayout& layout, const ModelRecord& model, std::string_view signer) {
  for (const oci::Descriptor& entry : layout.index()) {
    if (entry.annotation(oci::kRefName) != model.name) continue;
    for (const FoundPack& there : packs_in(layout, entry.digest.text()))
      if (!may_be_replaced(layout, there, model, signer))
        return make_distinct_model_name(model.display_name, fmt::format("{}\n{}", signer, model.name));
  }
  return model.name;
}

// The box's own state is no place for packs: a stick's layout must not grow into it.
Result<void> check_outside(const fs::path& state_dir, const fs::path& folder) {
  std::error_code ec;
  const fs::path state = fs::weakly_canonical(state_dir, ec), to = fs::weakly_canonical(folder, ec);
  const auto [end, unused] = std::mismatch(state.begin(), state.end(), to.begin(), to.end());
  if (ec || end != state.end()) return {};
  return error(Code::invalid_argument, "{} lies inside the box's own state folder {}; choose another folder",
               folder.string(), state_dir.string());
}

Result<void> copy_blob(const Blobs& blobs, PackLayout& layout, const ModelFile& file, Meter& meter) {
  Digest digest = TRY(Digest::parse(file.digest));
  fs::path from = blobs.path(digest);
  Fd in = TRY(open_regular(AT_FDCWD, from, false));
  return layout.add_blob(in, from, digest, file.size_bytes, meter);
}
}  // namespace

Result<std::string> Store::export_pack(std::string_view name, const fs::path& folder, const ExportOptions& options,
                                       const Control& control) const {
  CatalogEntry entry = TRY(impl_->entry(name));
  Digest manifest = TRY(Digest::parse(entry.record.digest));
  auto signature = TRY(signature_for(entry, manifest, options));
  TRY(check_outside(impl_->state_dir, folder));
  PackLayout layout = TRY_WITH(PackLayout::open_or_create(folder), "while exporting to {}", folder.string());

  std::vector<ModelFile> files = entry.record.files;
  files.push_back({"(config)", entry.config_digest, entry.config_bytes});
  files.push_back({"(manifest)", entry.record.digest, entry.manifest_bytes});
  Meter meter(control, entry.record.size_bytes + entry.config_bytes + entry.manifest_bytes);
  for (const ModelFile& file : files)
    TRY_WITH(copy_blob(impl_->blobs, layout, file, meter), "while exporting {}", name);

  oci::Descriptor model{
      std::string(oci::kManifestType), std::string(oci::kModelType), manifest, entry.manifest_bytes, {}};
  model.annotations[std::string(oci::kRefName)] = tag_for(layout, entry.record, signature ? signature->key_id : "");
  std::vector<oci::Descriptor> entries{model};
  if (signature) entries.push_back(TRY(write_signature(layout, signature->signature, signature->key_id, model)));
  TRY(layout.add_to_index(entries));
  return entry.record.digest;
}

}  // namespace hearth::store
