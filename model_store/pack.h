// A pack's documents, read and checked: what install needs from a source, and what recovery finds in the blob folder.
#pragma once

#include <functional>

#include "model_store/catalog.h"
#include "model_store/oci.h"

namespace hearth::store {

struct Pack {
  oci::Descriptor descriptor;  // of the manifest
  std::string manifest_text, config_text;
  oci::Manifest manifest;
  oci::ModelInfo info;
  std::vector<ModelFile> files;
  uint64_t size_bytes = 0;  // of the files
};

// Gives a document's text, compared with its digest.
using ReadDocument = std::function<Result<std::string>(const oci::Descriptor&, uint64_t limit)>;

Result<Pack> read_pack(const oci::Descriptor& manifest, const ReadDocument& read_document);
// As above, of a manifest that was read and parsed already.
Result<Pack> read_pack(const oci::Descriptor& descriptor, std::string manifest_text, oci::Manifest manifest,
                       const ReadDocument& read_document);
std::string display_name_in(const Pack& pack);
// The catalog's row as far as the documents tell: without facts from the files, source and signature.
CatalogEntry entry_of(const Pack& pack);

}  // namespace hearth::store
