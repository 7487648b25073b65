#include "model_store/pack_signature.h"

#include <openssl/evp.h>

#include "base/json.h"

namespace hearth::store {
namespace {
constexpr std::string_view kPayloadType = "application/vnd.dev.cosign.simplesigning.v1+json";
constexpr std::string_view kSignatureAnnotation = "dev.cosignproject.cosign/signature";
constexpr std::string_view kSignatureArtifact = "application/vnd.dev.cosign.artifact.sig.v1+json";
constexpr std::string_view kKeyHint = "org.hearth.signature.key";
constexpr std::string_view kSignatureKind = "cosign container image signature";
constexpr uint64_t kMaxPayloadBytes = 64 << 10;
constexpr size_t kMaxSignatures = 16, kSignatureBytes = 64;

std::string tag_of(const Digest& manifest) {
  return "sha256-" + manifest.hex() + ".sig";
}

std::string to_base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                          reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(n));
  return out;
}

// 64 raw bytes from base64, or nothing.
std::optional<std::string> signature_from_base64(std::string_view text) {
  constexpr size_t kTextBytes = (kSignatureBytes + 2) / 3 * 4;
  if (text.size() != kTextBytes) return std::nullopt;
  std::string out(kTextBytes, '\0');
  int n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                          reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (n < static_cast<int>(kSignatureBytes)) return std::nullopt;
  out.resize(kSignatureBytes);
  return out;
}

// The image configuration that cosign gives its signature images.
std::string config_text(const Digest& payload) {
  return dump_json({{"architecture", ""},
                    {"os", ""},
                    {"config", Json::object()},
                    {"rootfs", {{"type", "layers"}, {"diff_ids", {payload.text()}}}}});
}

oci::Descriptor describe(std::string_view media_type, std::string_view bytes) {
  return {std::string(media_type), "", Digest::of(bytes), bytes.size(), {}};
}

std::optional<FoundSignature> read_layer(const PackLayout& layout, const oci::Descriptor& layer) {
  if (layer.media_type != kPayloadType) return std::nullopt;
  auto signature = signature_from_base64(layer.annotation(kSignatureAnnotation));
  auto payload = layout.read_document(layer, kMaxPayloadBytes);
  if (!signature || !payload) return std::nullopt;
  return FoundSignature{{*payload, *signature}, layer.annotation(kKeyHint)};
}
}  // namespace

Result<PackSignature> sign_pack(const SigningKey& key, const Digest& manifest, std::string_view name) {
  Json payload = {{"critical",
                   {{"identity", {{"docker-reference", name}}},
                    {"image", {{"docker-manifest-digest", manifest.text()}}},
                    {"type", kSignatureKind}}},
                  {"optional", {{"creator", "Hearth"}}}};
  std::string text = dump_json(payload);
  std::string signature = TRY(key.sign(text));
  return PackSignature{std::move(text), std::move(signature)};
}

Result<void> check_payload(std::string_view payload, const Digest& manifest) {
  auto wrong = [] { return error(Code::data_loss, "the signature is for something else than this pack"); };
  if (payload.size() > kMaxPayloadBytes) return wrong();
  auto json = parse_json(payload, 8);
  if (!json || !json->is_object() || !json->contains("critical")) return wrong();
  const Json& critical = (*json)["critical"];
  auto kind = json_get<std::string>(critical, "type");
  auto image = json_get<Json>(critical, "image");
  if (!kind || *kind != kSignatureKind || !image) return wrong();
  auto digest = json_get<std::string>(*image, "docker-manifest-digest");
  if (!digest || *digest != manifest.text()) return wrong();
  return {};
}

FoundSignatures find_signatures(const PackLayout& layout, const Digest& manifest) {
  FoundSignatures out;
  for (const oci::Descriptor& entry : layout.index()) {
    if (entry.annotation(oci::kRefName) != tag_of(manifest)) continue;
    auto text = layout.read_document(entry, oci::kMaxManifestBytes);
    auto parsed = text ? oci::parse_manifest(*text) : Result<oci::Manifest>(text.error());
    if (!parsed || !layout.read_document(parsed->config, oci::kMaxConfigBytes)) {
      out.some_are_broken = true;
      continue;
    }
    for (const oci::Descriptor& layer : parsed->layers) {
      auto found = read_layer(layout, layer);
      if (!found) out.some_are_broken = true;
      if (found && out.list.size() < kMaxSignatures) out.list.push_back(std::move(*found));
    }
  }
  return out;
}

Result<oci::Descriptor> write_signature(PackLayout& layout, const PackSignature& signature, std::string_view key_id,
                                        const oci::Descriptor& subject) {
  oci::Descriptor layer = describe(kPayloadType, signature.payload);
  layer.annotations = {{std::string(kSignatureAnnotation), to_base64(signature.signature)},
                       {std::string(kKeyHint), std::string(key_id)}};
  std::string config = config_text(layer.digest);
  oci::Descriptor target = subject;
  target.annotations.clear();
  std::string manifest = oci::write_manifest(
      {std::string(kSignatureArtifact), describe(oci::kImageConfigType, config), {layer}, target, {}});
  for (const std::string& text : {signature.payload, config, manifest}) TRY(layout.add_document(text));
  oci::Descriptor entry = describe(oci::kManifestType, manifest);
  entry.artifact_type = kSignatureArtifact;
  entry.annotations[std::string(oci::kRefName)] = tag_of(subject.digest);
  return entry;
}

}  // namespace hearth::store
