#include "model_store/pack_search.h"

#include "model_store/transports/source.h"

namespace hearth::store {
namespace fs = std::filesystem;
namespace {

constexpr size_t kMaxNamedPacks = 8, kShortDigest = 19;  // in messages; "sha256:" and 12 digits

bool may_be_model(const oci::Descriptor& entry) {
  if (entry.media_type != oci::kManifestType || entry.annotation(oci::kRefName).ends_with(".sig")) return false;
  return entry.artifact_type.empty() || entry.artifact_type == oci::kModelType;
}

Error no_pack(const fs::path& source, std::string_view digest) {
  if (digest.empty())
    return error(Code::not_found,
                 "{} holds no model pack: expected an OCI image layout (oci-layout, index.json, blobs) there or one "
                 "folder below",
                 source.string());
  return error(Code::not_found, "{} holds no pack with the digest {}; scan it again", source.string(),
               digest.substr(0, 80));
}

std::string named(const FoundPack& found) {
  return fmt::format("{} {}", found.pack ? display_name_in(*found.pack) : "unreadable",
                     found.entry.digest.text().substr(0, kShortDigest));
}

}  // namespace

Result<void> check_presence(const PackLayout& layout, const Pack& pack) {
  for (const oci::Descriptor& layer : pack.manifest.layers) TRY(layout.check_presence(layer));
  return {};
}

std::vector<FoundPack> packs_in(const PackLayout& layout, std::string_view digest) {
  auto read_document = [&](const oci::Descriptor& d, uint64_t limit) { return layout.read_document(d, limit); };
  std::vector<FoundPack> out;
  for (const oci::Descriptor& entry : layout.index()) {
    if (!may_be_model(entry) || (!digest.empty() && entry.digest.text() != digest)) continue;
    auto text = read_document(entry, oci::kMaxManifestBytes);
    auto manifest = text ? oci::parse_manifest(*text) : Result<oci::Manifest>(text.error());
    if (manifest && !manifest->is_model()) continue;
    if (!manifest) {
      if (text) manifest.error().context.emplace_back("in the pack's manifest");
      out.push_back({entry, std::move(manifest).error()});
      continue;
    }
    out.push_back({entry, read_pack(entry, std::move(*text), std::move(*manifest), read_document)});
  }
  return out;
}

Result<LocatedPack> locate_pack(const fs::path& source, std::string_view digest) {
  if (!digest.empty()) TRY(Digest::parse(digest));
  std::optional<LocatedPack> located;
  std::optional<Error> broken;
  std::string names;
  size_t n_found = 0;
  for (const fs::path& folder : TRY(find_layouts(source))) {
    auto layout = PackLayout::open(folder);
    if (!layout) {
      broken = layout.error();
      continue;
    }
    std::vector<FoundPack> packs = packs_in(*layout, digest);
    for (const FoundPack& found : packs)
      if (n_found++ < kMaxNamedPacks) names += (names.empty() ? "" : ", ") + named(found);
    if (!located && !packs.empty()) located.emplace(LocatedPack{std::move(*layout), std::move(packs[0])});
  }
  if (!located) return broken ? *broken : no_pack(source, digest);
  if (digest.empty() && n_found > 1)
    return error(Code::invalid_argument, "{} holds {} packs; say which one by its digest: {}", source.string(), n_found,
                 names);
  return std::move(*located);
}

}  // namespace hearth::store
