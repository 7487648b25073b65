// The signatures of installed packs, a file each in <state>/blobs/signatures, named by the manifest: what a model that
// is found again without the catalog is known to its publisher by. Only this store writes there; a signature among the
// blobs would be any pack's word.
#pragma once

#include <filesystem>
#include <optional>

#include "model_store/catalog.h"
#include "model_store/digest.h"

namespace hearth::store {

struct KeptSignature {
  PackSignature signature;
  std::string signer;  // key id
};

Result<void> keep_signature(const std::filesystem::path& state_dir, const Digest& manifest, const KeptSignature& kept);
std::optional<KeptSignature> kept_signature(const std::filesystem::path& state_dir, const Digest& manifest);
// Removes those whose manifest is no blob any more. Failures are left for the next time.
void drop_stale_signatures(const std::filesystem::path& state_dir, const Blobs& blobs);

}  // namespace hearth::store
