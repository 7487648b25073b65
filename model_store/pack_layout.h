// An OCI image layout in a folder: oci-layout, index.json, blobs/sha256/<hex>. Reading trusts nothing: no links are
// followed below the folder, every document is bounded and compared with its digest. Writing is durable, index last.
#pragma once

#include <filesystem>

#include "base/files.h"
#include "model_store/meter.h"
#include "model_store/oci.h"

namespace hearth::store {

class PackLayout {
 public:
  // True when the folder holds an oci-layout file (whatever state the rest is in).
  static bool is_layout(const std::filesystem::path& folder);
  static Result<PackLayout> open(const std::filesystem::path& folder);
  // As open(), after making what is missing.
  static Result<PackLayout> open_or_create(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const { return folder_; }
  const std::vector<oci::Descriptor>& index() const { return index_; }

  // A small document, checked against its digest and size.
  Result<std::string> read_document(const oci::Descriptor& descriptor, uint64_t limit) const;
  Result<Fd> open_blob(const Digest& digest) const;  // a regular file; its content is not checked
  // data_loss when the blob is missing or not size_bytes long: what can be told without reading it.
  Result<void> check_presence(const oci::Descriptor& descriptor) const;
  std::filesystem::path blob_path(const Digest& digest) const { return folder_ / "blobs" / "sha256" / digest.hex(); }

  Result<void> add_document(std::string_view bytes);
  Result<void> add_blob(const Fd& in, const std::filesystem::path& from, const Digest& digest, uint64_t size_bytes,
                        Meter& meter);
  // Replaces entries with the same ref name or digest, then makes the index durable.
  Result<void> add_to_index(const std::vector<oci::Descriptor>& entries);

 private:
  Result<Fd> open_whole(const oci::Descriptor& descriptor) const;  // of the descriptor's size
  Result<bool> has_blob(const Digest& digest, uint64_t size_bytes) const;
  std::filesystem::path folder_;
  Fd root_;  // everything is opened relative to it, so that the folder cannot be exchanged under us
  Fd blobs_;
  std::vector<oci::Descriptor> index_;
};

}  // namespace hearth::store
