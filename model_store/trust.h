// Which keys this box believes: *.pub files in <state>/trust and in the folders that the product ships.
#pragma once

#include "model_store/pack_signature.h"

namespace hearth::store {

class TrustedKeys {
 public:
  // Folders that do not exist are fine; a file in them that is no key is an Error that names it.
  static Result<TrustedKeys> load(const std::vector<std::filesystem::path>& folders);
  std::vector<TrustedKey> list() const;

  struct Verdict {
    Trust trust = Trust::untrusted;
    std::string signer;                      // key id, when trusted
    std::optional<PackSignature> signature;  // the one that counted, when trusted
    std::string problem;                     // what is wrong and what to do, when not trusted
  };
  Verdict judge(const FoundSignatures& signatures, const Digest& manifest) const;

 private:
  struct Entry {
    PublicKey key;
    std::filesystem::path file;
  };
  bool knows(std::string_view id) const;
  std::vector<Entry> keys_;
  std::filesystem::path first_folder_;  // where the user puts new keys
};

}  // namespace hearth::store
