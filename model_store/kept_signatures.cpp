#include "model_store/kept_signatures.h"

#include "base/files.h"
#include "base/json.h"
#include "model_store/pack_signature.h"
#include "model_store/tokenizers/base64.h"

namespace hearth::store {
namespace fs = std::filesystem;
namespace {
constexpr uint64_t kMaxFileBytes = 256 << 10;  // a payload has at most 64 KiB
constexpr size_t kMaxSignatureBytes = 64;

fs::path signatures_folder(const fs::path& state_dir) {
  return state_dir / "blobs" / "signatures";
}

Result<KeptSignature> read_kept(const fs::path& file, const Digest& manifest) {
  const Json json = TRY(parse_json(TRY(read_file(file, kMaxFileBytes)), 4));
  KeptSignature out;
  out.signature.payload = TRY(json_get<std::string>(json, "payload"));
  out.signer = TRY(json_get<std::string>(json, "signer"));
  out.signature.signature = TRY(decode_base64(TRY(json_get<std::string>(json, "signature")), kMaxSignatureBytes));
  TRY(check_payload(out.signature.payload, manifest));
  return out;
}
}  // namespace

Result<void> keep_signature(const fs::path& state_dir, const Digest& manifest, const KeptSignature& kept) {
  TRY(make_folders(signatures_folder(state_dir)));
  const Json json = {{"payload", kept.signature.payload},
                     {"signature", encode_base64(kept.signature.signature)},
                     {"signer", kept.signer}};
  return write_file(signatures_folder(state_dir) / manifest.hex(), dump_json(json));
}

std::optional<KeptSignature> kept_signature(const fs::path& state_dir, const Digest& manifest) {
  auto found = read_kept(signatures_folder(state_dir) / manifest.hex(), manifest);
  return found ? std::optional(std::move(*found)) : std::nullopt;
}

void drop_stale_signatures(const fs::path& state_dir, const Blobs& blobs) {
  std::error_code failed;
  for (fs::directory_iterator it(signatures_folder(state_dir), failed), end; !failed && it != end;
       it.increment(failed)) {
    std::error_code ignored;
    const auto manifest = Digest::from_hex(it->path().filename().string());
    if (!manifest || !fs::exists(blobs.path(*manifest), ignored)) fs::remove(it->path(), ignored);
  }
}

}  // namespace hearth::store
