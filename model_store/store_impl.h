// What the parts of Store share. Store's methods are spread over store.cpp (opening, looking), import.cpp, scan.cpp,
// install.cpp, export.cpp and gc.cpp.
#pragma once

#include <mutex>
#include <optional>

#include "base/files.h"
#include "model_store/catalog.h"
#include "model_store/intent.h"
#include "model_store/store.h"
#include "model_store/trust.h"

namespace hearth::store {

struct Store::Impl {
  std::filesystem::path state_dir;
  Mode mode;
  StoreOptions options;
  Blobs blobs;
  std::optional<LockFile> lock;

  // Changing operations, one after another.
  std::mutex changing;

  // Null while there is no database yet (read_only only).
  Result<Catalog*> catalog();
  Result<CatalogEntry> entry(std::string_view name);  // not_found when absent
  Result<TrustedKeys> keys() const;
  Result<void> require_writer() const;

  Result<std::filesystem::path> base_path(const ModelRecord& adapter);  // what a loader opens
  // Finds the parent of a folder's adapter and checks that it fits.
  Result<void> check_adapter(const std::filesystem::path& folder, ModelRecord& record);
  // Of the model that `fresh` replaces, where adapters need it; else empty.
  Result<std::string> name_for_replaced(const ModelRecord& fresh);
  // Staged blobs become visible, then the row. On failure the store is what it was.
  Result<ModelRecord> commit(Staging& staging, CatalogEntry entry);
  // Before a change: which blobs it may leave without an owner. After it, or after a crash in it: deletes those of them
  // that no row refers to. Both need `changing` held.
  Result<void> intend(DigestSet candidates);
  Result<uint64_t> settle();  // → bytes freed
  Result<uint64_t> drop(const std::vector<BlobInfo>& unreferenced);
  // Of models that were installed before signatures were kept beside the catalog.
  Result<void> keep_signatures();
  // A catalog restored from a backup does not know the models that came after it: they are entered again.
  Result<void> adopt_unknown_models();

  std::mutex catalog_mutex;
  std::unique_ptr<Catalog> opened_catalog;
};

double seconds_now();
DigestSet blobs_of(const CatalogEntry& entry);  // files, manifest and config

}  // namespace hearth::store
