// The catalog: one row a model, and the blobs that it keeps alive. It refers to files that are durable already and
// never touches files itself. Thread-safe: one connection behind a mutex, held for one small transaction at a time.
#pragma once

#include <memory>
#include <mutex>
#include <set>

#include "model_store/blobs.h"
#include "model_store/database.h"
#include "model_store/store.h"

namespace hearth::store {

struct PackSignature {
  std::string payload;    // the signed bytes
  std::string signature;  // 64 raw bytes
};

// A row with what only the store itself needs.
struct CatalogEntry {
  ModelRecord record;
  std::string config_digest;
  uint64_t manifest_bytes = 0, config_bytes = 0;
  std::optional<PackSignature> signature;  // as it came with the pack
};

class Catalog {
 public:
  // A writer makes a catalog that is missing, with the models that are found among the blobs (recover.h), in one
  // transaction. A reader gets not_found instead.
  static Result<std::unique_ptr<Catalog>> open(const std::filesystem::path& state_dir, bool writable);
  ~Catalog();

  Result<std::vector<ModelRecord>> list() const;
  Result<std::optional<CatalogEntry>> find(std::string_view name) const;
  Result<std::optional<CatalogEntry>> find_ignoring_case(std::string_view name) const;
  Result<std::optional<CatalogEntry>> find_pack(std::string_view signer, std::string_view display_name) const;
  Result<std::optional<std::string>> name_of(std::string_view manifest_digest) const;
  Result<std::set<std::string>> referenced_blobs() const;  // "sha256:..." of all models
  Result<std::vector<std::string>> adapters_of(std::string_view parent) const;

  // Replaces a row of the same name, which with `keep_old_as` stays under that name, with its adapters.
  Result<void> put(const CatalogEntry& entry, const std::string& keep_old_as = {});
  Result<void> erase(std::string_view name);

 private:
  Catalog(std::unique_ptr<SQLite::Database> db, int version);
  Result<std::optional<CatalogEntry>> find_where(std::string_view condition, std::string_view name) const;
  Result<void> make(const std::filesystem::path& state_dir);
  Result<void> bring_up_to_date(const std::filesystem::path& state_dir, int version);
  template <class Work>
  auto read(std::string_view doing, Work&& work) const -> decltype(work());
  template <class Work>
  Result<void> write(std::string_view doing, Work&& work);

  mutable std::mutex mutex_;
  std::unique_ptr<SQLite::Database> db_;
  std::string select_;        // all columns of a row
  bool disk_failed_ = false;  // an I/O error was seen: later commits may lie, so there are none
};

}  // namespace hearth::store
