#include "model_store/trust.h"

#include <algorithm>

#include "base/files.h"

namespace hearth::store {
namespace fs = std::filesystem;
namespace {
constexpr uint64_t kMaxKeyBytes = 16 << 10;
constexpr size_t kMaxKeys = 256;

Result<std::vector<fs::path>> key_files(const fs::path& folder) {
  std::error_code ec;
  std::vector<fs::path> out;
  if (!fs::exists(folder, ec)) return out;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec))
    if (it->path().extension() == ".pub") out.push_back(it->path());
  if (ec) return errno_error("read folder", folder, ec.value());
  std::sort(out.begin(), out.end());
  return out;
}
}  // namespace

Result<TrustedKeys> TrustedKeys::load(const std::vector<fs::path>& folders) {
  TrustedKeys out;
  if (!folders.empty()) out.first_folder_ = folders[0];
  for (const fs::path& folder : folders)
    for (const fs::path& file : TRY(key_files(folder))) {
      if (out.keys_.size() == kMaxKeys)
        return error(Code::resource_exhausted, "more than {} trusted keys; remove some from {}", kMaxKeys,
                     folder.string());
      std::string pem = TRY(read_file(file, kMaxKeyBytes));
      PublicKey key = TRY_WITH(PublicKey::from_pem(pem, file.string()),
                               "while loading the trusted keys (remove the file if it is not a key)");
      out.keys_.push_back({std::move(key), file});
    }
  return out;
}

std::vector<TrustedKey> TrustedKeys::list() const {
  std::vector<TrustedKey> out;
  for (const Entry& entry : keys_) out.push_back({entry.key.id(), entry.file});
  return out;
}

bool TrustedKeys::knows(std::string_view id) const {
  return std::any_of(keys_.begin(), keys_.end(), [&](const Entry& entry) { return entry.key.id() == id; });
}

TrustedKeys::Verdict TrustedKeys::judge(const FoundSignatures& signatures, const Digest& manifest) const {
  for (const FoundSignature& found : signatures.list) {
    if (!check_payload(found.signature.payload, manifest)) continue;
    for (const Entry& entry : keys_)
      if (entry.key.verifies(found.signature.payload, found.signature.signature))
        return {Trust::trusted, entry.key.id(), found.signature, ""};
  }
  if (signatures.list.empty() && signatures.some_are_broken)
    return {Trust::damaged, "", {}, "its signature is damaged: get a fresh copy of the pack"};
  if (signatures.list.empty()) return {Trust::untrusted, "", {}, "it is not signed; ask its maker for a signed pack"};
  std::string hint = signatures.list[0].key_hint;
  if (knows(hint))
    return {Trust::damaged,
            "",
            {},
            fmt::format("its signature is wrong although its key is trusted: it was changed after it was signed; get a "
                        "fresh copy")};
  if (hint.size() > 80) hint.resize(80);
  return {Trust::untrusted,
          "",
          {},
          fmt::format("it is signed with a key that this box does not trust{}; if you trust its maker, put their "
                      "public key (a .pub file) into {}",
                      hint.empty() ? "" : " (" + hint + ")", first_folder_.string())};
}

}  // namespace hearth::store
