#include "model_store/pack.h"

#include "model_store/model_names.h"

namespace hearth::store {

Result<Pack> read_pack(const oci::Descriptor& descriptor, const ReadDocument& read_document) {
  std::string manifest_text = TRY(read_document(descriptor, oci::kMaxManifestBytes));
  oci::Manifest manifest = TRY_WITH(oci::parse_manifest(manifest_text), "in the pack's manifest");
  return read_pack(descriptor, std::move(manifest_text), std::move(manifest), read_document);
}

Result<Pack> read_pack(const oci::Descriptor& descriptor, std::string manifest_text, oci::Manifest manifest,
                       const ReadDocument& read_document) {
  if (!manifest.is_model()) return error(Code::invalid_argument, "it is not a model pack");
  std::string config_text = TRY(read_document(manifest.config, oci::kMaxConfigBytes));
  Pack pack{descriptor, std::move(manifest_text), std::move(config_text), std::move(manifest), {}, {}, 0};
  pack.info = TRY_WITH(oci::parse_model_config(pack.config_text), "in the pack's configuration");
  std::vector<std::string> names = TRY(oci::file_names_of(pack.manifest));
  for (size_t i = 0; i < names.size(); ++i) {
    const oci::Descriptor& layer = pack.manifest.layers[i];
    pack.files.push_back({names[i], layer.digest.text(), layer.size_bytes});
    pack.size_bytes += layer.size_bytes;  // at most 4096 * 4 TiB: no overflow
  }
  return pack;
}

std::string display_name_in(const Pack& pack) {
  std::string name = display_name_of(pack.info.name);
  if (name.empty()) name = display_name_of(pack.descriptor.annotation(oci::kRefName));
  return name.empty() ? "model" : name;
}

CatalogEntry entry_of(const Pack& pack) {
  CatalogEntry entry;
  ModelRecord& record = entry.record;
  record.display_name = display_name_in(pack);
  record.name = make_model_name(record.display_name);
  record.digest = pack.descriptor.digest.text();
  record.version = pack.info.version;
  record.license = pack.info.license;
  record.description = pack.info.description;
  record.files = pack.files;
  record.size_bytes = pack.size_bytes;
  const auto& annotations = pack.manifest.annotations;
  if (auto it = annotations.find(oci::kParent); it != annotations.end() && check_model_name(it->second))
    record.parent = it->second;
  entry.config_digest = pack.manifest.config.digest.text();
  entry.config_bytes = pack.manifest.config.size_bytes;
  entry.manifest_bytes = pack.descriptor.size_bytes;
  return entry;
}

}  // namespace hearth::store
