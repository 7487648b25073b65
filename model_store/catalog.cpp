// SQL of the catalog.
#include "model_store/catalog.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "model_store/kill_point.h"
#include "model_store/model_names.h"
#include "model_store/oci.h"
#include "model_store/recover.h"

namespace hearth::store {
namespace {
constexpr const char* kComponent = "store";
constexpr int kVersion = 3;  // 2: display_name; 3: origin, and `source` without its words

// digest columns hold "sha256:<hex>". model_files lists the model's own files; manifest and config are in the row.
constexpr const char* kSchema = R"(
  CREATE TABLE models(
    name TEXT PRIMARY KEY, digest TEXT NOT NULL, manifest_bytes INTEGER NOT NULL,
    config_digest TEXT NOT NULL, config_bytes INTEGER NOT NULL, kind TEXT NOT NULL, version TEXT NOT NULL,
    family TEXT NOT NULL, dtype TEXT NOT NULL, license TEXT NOT NULL, description TEXT NOT NULL,
    source TEXT NOT NULL, signer TEXT NOT NULL, signed_payload BLOB, signature BLOB, parent TEXT,
    n_params INTEGER NOT NULL, max_seq_len INTEGER NOT NULL, has_chat_template INTEGER NOT NULL,
    bundled INTEGER NOT NULL, installed_at REAL NOT NULL, display_name TEXT NOT NULL DEFAULT '',
    origin TEXT NOT NULL DEFAULT 'unknown') STRICT;
  CREATE TABLE model_files(
    model TEXT NOT NULL REFERENCES models(name) ON DELETE CASCADE, position INTEGER NOT NULL,
    name TEXT NOT NULL, digest TEXT NOT NULL, size_bytes INTEGER NOT NULL,
    PRIMARY KEY(model, position)) STRICT;
)";

constexpr const char* kSelect =
    "SELECT name, digest, manifest_bytes, config_digest, config_bytes, kind, version, family, dtype, license, "
    "description, {}, signer, "
    "signed_payload, signature, parent, n_params, max_seq_len, has_chat_template, bundled, installed_at, {}, {} "
    "FROM models ";

// What catalogs before version 3 kept as a sentence.
constexpr const char* kOldOrigin =
    "CASE WHEN source='bundled' THEN 'bundled' WHEN source LIKE 'pack from %' THEN 'pack' "
    "WHEN source LIKE 'import of %' THEN 'import' WHEN source LIKE 'training job %' THEN 'training' "
    "WHEN source LIKE 'recovered%' THEN 'recovered' ELSE 'unknown' END";
constexpr const char* kOldSource =
    "CASE WHEN source='bundled' OR source LIKE 'recovered%' THEN '' "
    "WHEN source LIKE 'pack from %' OR source LIKE 'import of %' THEN substr(source, 11) "
    "WHEN source LIKE 'training job %' THEN substr(source, 14) ELSE source END";

// All columns of a row, of a catalog of any version.
std::string select_of(int version) {
  return fmt::format(kSelect, version < 3 ? kOldSource : "source", version < 2 ? "''" : "display_name",
                     version < 3 ? kOldOrigin : "origin");
}

std::string blob_column(const SQLite::Column& column) {
  return {static_cast<const char*>(column.getBlob()), static_cast<size_t>(column.getBytes())};
}

CatalogEntry read_row(SQLite::Statement& row) {
  CatalogEntry entry;
  ModelRecord& r = entry.record;
  r.name = row.getColumn(0).getString();
  r.digest = row.getColumn(1).getString();
  entry.manifest_bytes = static_cast<uint64_t>(row.getColumn(2).getInt64());
  entry.config_digest = row.getColumn(3).getString();
  entry.config_bytes = static_cast<uint64_t>(row.getColumn(4).getInt64());
  r.kind = row.getColumn(5).getString();
  r.version = row.getColumn(6).getString();
  r.family = row.getColumn(7).getString();
  r.dtype = row.getColumn(8).getString();
  r.license = row.getColumn(9).getString();
  r.description = row.getColumn(10).getString();
  r.origin.from = row.getColumn(11).getString();
  r.signer = row.getColumn(12).getString();
  if (!row.isColumnNull(14))
    entry.signature = PackSignature{blob_column(row.getColumn(13)), blob_column(row.getColumn(14))};
  if (!row.isColumnNull(15)) r.parent = row.getColumn(15).getString();
  r.n_params = static_cast<uint64_t>(row.getColumn(16).getInt64());
  r.max_seq_len = row.getColumn(17).getInt();
  r.has_chat_template = row.getColumn(18).getInt() != 0;
  r.bundled = row.getColumn(19).getInt() != 0;
  r.installed_at = row.getColumn(20).getDouble();
  r.display_name = row.getColumn(21).getString();
  if (r.display_name.empty()) r.display_name = r.name;
  r.origin.kind = OriginKind::read(row.getColumn(22).getString());
  return entry;
}

void read_files(SQLite::Database& db, ModelRecord& record) {
  SQLite::Statement query(db, "SELECT name, digest, size_bytes FROM model_files WHERE model=? ORDER BY position");
  query.bind(1, record.name);
  while (query.executeStep()) {
    auto size = static_cast<uint64_t>(query.getColumn(2).getInt64());
    record.files.push_back({query.getColumn(0).getString(), query.getColumn(1).getString(), size});
    record.size_bytes += size;
  }
}

void insert_model(SQLite::Database& db, const CatalogEntry& entry) {
  const ModelRecord& r = entry.record;
  SQLite::Statement put(db, "INSERT INTO models VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  int i = 0;
  auto text = [&](const std::string& value) { put.bind(++i, value); };
  auto number = [&](uint64_t value) { put.bind(++i, static_cast<int64_t>(value)); };
  auto blob = [&](const std::string* value) {
    ++i;
    if (value) put.bind(i, value->data(), static_cast<int>(value->size()));  // otherwise NULL
  };
  text(r.name), text(r.digest), number(entry.manifest_bytes), text(entry.config_digest), number(entry.config_bytes);
  text(r.kind), text(r.version), text(r.family), text(r.dtype), text(r.license), text(r.description),
      text(r.origin.from), text(r.signer);
  blob(entry.signature ? &entry.signature->payload : nullptr),
      blob(entry.signature ? &entry.signature->signature : nullptr);
  ++i;
  if (r.parent) put.bind(i, *r.parent);
  number(r.n_params), number(static_cast<uint64_t>(r.max_seq_len)), number(r.has_chat_template), number(r.bundled);
  put.bind(++i, r.installed_at);
  text(r.display_name), text(r.origin.kind.text());
  put.exec();
}

void insert_files(SQLite::Database& db, const ModelRecord& record) {
  SQLite::Statement put(db, "INSERT INTO model_files VALUES(?,?,?,?,?)");
  int position = 0;
  for (const ModelFile& file : record.files) {
    put.reset();
    put.bind(1, record.name);
    put.bind(2, position++);
    put.bind(3, file.name);
    put.bind(4, file.digest);
    put.bind(5, static_cast<int64_t>(file.size_bytes));
    put.exec();
  }
}

void delete_model(SQLite::Database& db, std::string_view name) {
  SQLite::Statement erase(db, "DELETE FROM models WHERE name=?");
  erase.bind(1, std::string(name));
  erase.exec();
}

std::string name_in_config(const Blobs& blobs, const CatalogEntry& entry) {
  auto digest = Digest::parse(entry.config_digest);
  auto text = digest ? blobs.read(*digest, oci::kMaxConfigBytes) : Result<std::string>(digest.error());
  auto info = text ? oci::parse_model_config(*text) : Result<oci::ModelInfo>(text.error());
  return info ? display_name_of(info->name) : "";
}

std::vector<std::string> read_column(SQLite::Statement& query) {
  std::vector<std::string> out;
  while (query.executeStep()) out.push_back(query.getColumn(0).getString());
  return out;
}

// A catalog of version 1: the names for people are those in the models' configurations.
void add_display_names(SQLite::Database& db, const Blobs& blobs, const std::string& select) {
  db.exec("ALTER TABLE models ADD COLUMN display_name TEXT NOT NULL DEFAULT ''");
  std::vector<CatalogEntry> entries;
  SQLite::Statement query(db, select);
  while (query.executeStep()) entries.push_back(read_row(query));
  SQLite::Statement put(db, "UPDATE models SET display_name=? WHERE name=?");
  for (const CatalogEntry& entry : entries) {
    put.reset();
    put.bind(1, name_in_config(blobs, entry));
    put.bind(2, entry.record.name);
    put.exec();
  }
}
}  // namespace

Catalog::Catalog(std::unique_ptr<SQLite::Database> db, int version) : db_(std::move(db)), select_(select_of(version)) {}
Catalog::~Catalog() = default;

// Runs work under the mutex; SQLite's exceptions become Errors here and nowhere else.
template <class Work>
auto Catalog::read(std::string_view doing, Work&& work) const -> decltype(work()) {
  std::lock_guard lock(mutex_);
  try {
    return work();
  } catch (const SQLite::Exception& e) {
    return database_error(e, doing);
  }
}

template <class Work>
Result<void> Catalog::write(std::string_view doing, Work&& work) {
  std::lock_guard lock(mutex_);
  if (disk_failed_)
    return error(
        Code::data_loss,
        "the disk of the catalog reported an error before: check it, then restart Hearth; nothing was changed");
  try {
    SQLite::Transaction transaction(*db_, SQLite::TransactionBehavior::IMMEDIATE);
    work();
    kill_point("catalog.before_commit");
    transaction.commit();
    kill_point("catalog.committed");
    return {};
  } catch (const SQLite::Exception& e) {
    disk_failed_ |= is_io_error(e);
    return database_error(e, doing);
  }
}

Result<std::unique_ptr<Catalog>> Catalog::open(const std::filesystem::path& state_dir, bool writable) {
  std::unique_ptr<SQLite::Database> db = TRY(open_database(state_dir / "hearth.db", writable));
  const int version = TRY(schema_version(*db, kComponent, kVersion));
  if (version == 0 && !writable) return error(Code::not_found, "{} has no model catalog yet", state_dir.string());
  std::unique_ptr<Catalog> catalog(new Catalog(std::move(db), version == 0 ? kVersion : version));
  if (version == 0) TRY(catalog->make(state_dir));
  if (version != 0 && version < kVersion && writable) TRY(catalog->bring_up_to_date(state_dir, version));
  return catalog;
}

Result<void> Catalog::make(const std::filesystem::path& state_dir) {
  std::vector<CatalogEntry> found = TRY_WITH(recover_entries(state_dir), "while making a new catalog");
  return write("making the catalog", [&] {
    db_->exec(kSchema);
    for (const CatalogEntry& entry : found) {
      insert_model(*db_, entry);
      insert_files(*db_, entry.record);
    }
    set_schema_version(*db_, kComponent, kVersion);
  });
}

Result<void> Catalog::bring_up_to_date(const std::filesystem::path& state_dir, int version) {
  TRY(write("bringing the catalog up to date", [&] {
    if (version < 2) add_display_names(*db_, Blobs(state_dir), select_);
    db_->exec("ALTER TABLE models ADD COLUMN origin TEXT NOT NULL DEFAULT 'unknown'");
    db_->exec(fmt::format("UPDATE models SET origin={}, source={}", kOldOrigin, kOldSource));
    set_schema_version(*db_, kComponent, kVersion);
  }));
  select_ = select_of(kVersion);
  return {};
}

Result<std::vector<ModelRecord>> Catalog::list() const {
  return read("listing models", [&]() -> Result<std::vector<ModelRecord>> {
    SQLite::Transaction snapshot(*db_);
    SQLite::Statement query(*db_, select_ + "ORDER BY name");
    std::vector<ModelRecord> out;
    while (query.executeStep()) out.push_back(read_row(query).record);
    for (ModelRecord& record : out) read_files(*db_, record);
    return out;
  });
}

Result<std::optional<CatalogEntry>> Catalog::find_where(std::string_view condition, std::string_view name) const {
  return read("looking up a model", [&]() -> Result<std::optional<CatalogEntry>> {
    SQLite::Transaction snapshot(*db_);
    SQLite::Statement query(*db_, fmt::format("{} WHERE {}", select_, condition));
    query.bind(1, std::string(name));
    if (!query.executeStep()) return std::optional<CatalogEntry>();
    CatalogEntry entry = read_row(query);
    read_files(*db_, entry.record);
    return std::optional(std::move(entry));
  });
}

Result<std::optional<CatalogEntry>> Catalog::find(std::string_view name) const {
  return find_where("name=?", name);
}

Result<std::optional<CatalogEntry>> Catalog::find_ignoring_case(std::string_view name) const {
  return find_where("name=?1 COLLATE NOCASE ORDER BY name<>?1", name);  // the exact one first
}

Result<std::optional<CatalogEntry>> Catalog::find_pack(std::string_view signer, std::string_view display_name) const {
  std::optional<std::string> found;
  for (const ModelRecord& record : TRY(list()))
    if (!record.signer.empty() && record.signer == signer && same_display_name(record.display_name, display_name))
      if (!found || record.name == make_model_name(display_name)) found = record.name;
  if (!found) return std::optional<CatalogEntry>();
  return find(*found);
}

Result<std::optional<std::string>> Catalog::name_of(std::string_view manifest_digest) const {
  return read("looking up a digest", [&]() -> Result<std::optional<std::string>> {
    SQLite::Statement query(*db_, "SELECT name FROM models WHERE digest=? ORDER BY name LIMIT 1");
    query.bind(1, std::string(manifest_digest));
    std::vector<std::string> names = read_column(query);
    return names.empty() ? std::optional<std::string>() : names[0];
  });
}

Result<std::set<std::string>> Catalog::referenced_blobs() const {
  return read("listing blobs in use", [&]() -> Result<std::set<std::string>> {
    SQLite::Statement query(
        *db_, "SELECT digest FROM models UNION SELECT config_digest FROM models UNION SELECT digest FROM model_files");
    std::vector<std::string> digests = read_column(query);
    return std::set<std::string>(digests.begin(), digests.end());
  });
}

Result<std::vector<std::string>> Catalog::adapters_of(std::string_view parent) const {
  return read("looking up adapters", [&]() -> Result<std::vector<std::string>> {
    SQLite::Statement query(*db_, "SELECT name FROM models WHERE kind='adapter' AND parent=? ORDER BY name");
    query.bind(1, std::string(parent));
    return read_column(query);
  });
}

Result<void> Catalog::put(const CatalogEntry& entry, const std::string& keep_old_as) {
  auto old = keep_old_as.empty() ? std::optional<CatalogEntry>() : TRY(find(entry.record.name));
  return write("recording a model", [&] {
    if (old) {
      old->record.name = keep_old_as;
      insert_model(*db_, *old);
      insert_files(*db_, old->record);
      SQLite::Statement move(*db_, "UPDATE models SET parent=? WHERE kind='adapter' AND parent=?");
      move.bind(1, keep_old_as);
      move.bind(2, entry.record.name);
      move.exec();
    }
    delete_model(*db_, entry.record.name);
    insert_model(*db_, entry);
    insert_files(*db_, entry.record);
  });
}

Result<void> Catalog::erase(std::string_view name) {
  return write("removing a model", [&] { delete_model(*db_, name); });
}

}  // namespace hearth::store
