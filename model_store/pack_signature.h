// The signature of a pack, in the form that cosign and containers/image know: a "simple signing" payload that names the
// manifest's digest, signed with Ed25519, carried as an OCI manifest in the same index under the tag
// sha256-<hex>.sig and with the model as its subject (docs/decisions/0008).
#pragma once

#include "model_store/catalog.h"
#include "model_store/pack_layout.h"
#include "model_store/signature.h"

namespace hearth::store {

// Signs a manifest's digest. `name` is the identity that other tools show.
Result<PackSignature> sign_pack(const SigningKey& key, const Digest& manifest, std::string_view name);
// Whether the payload is about this very manifest; whether its signature is good is the key's question.
Result<void> check_payload(std::string_view payload, const Digest& manifest);

// One well-formed signature of a manifest.
struct FoundSignature {
  PackSignature signature;
  std::string key_hint;  // unchecked: whose key made it, as the layer's annotation claims
};
// All that the layout carries for a manifest. Broken ones are left out of the list: they prove nothing.
struct FoundSignatures {
  std::vector<FoundSignature> list;
  bool some_are_broken = false;
};
FoundSignatures find_signatures(const PackLayout& layout, const Digest& manifest);

// Writes payload, config and manifest blobs; returns the index entry.
Result<oci::Descriptor> write_signature(PackLayout& layout, const PackSignature& signature, std::string_view key_id,
                                        const oci::Descriptor& subject);

}  // namespace hearth::store
