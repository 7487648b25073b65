// SQLite's settings and errors, in one place.
#include "model_store/database.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <string>

#include "base/disk_full.h"

namespace hearth::store {
namespace fs = std::filesystem;
namespace {
constexpr int kBusyTimeoutMs = 10'000;  // others hold the write lock for one small transaction at a time
}

Error database_error(const SQLite::Exception& e, std::string_view doing) {
  Code code = Code::internal;
  std::string_view hint;
  switch (e.getErrorCode() & 0xff) {
    case SQLITE_FULL:
      code = Code::resource_exhausted;
      hint = "; free some disk space and try again";
      break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      code = Code::unavailable;
      hint = "; another process is writing, try again";
      break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      code = Code::data_loss;
      hint = "; the catalog is damaged: restore hearth.db from a backup";
      break;
    case SQLITE_IOERR:
      code = Code::data_loss;
      hint = "; the disk reported an error: check it, then restart Hearth";
      break;
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      code = Code::permission_denied;
      break;
    default:
      break;
  }
  Error failed = error(code, "while {}: database: {}{}", doing, e.what(), hint);
  return code == Code::resource_exhausted ? as_disk_full(std::move(failed)) : failed;
}

bool is_io_error(const SQLite::Exception& e) {
  return (e.getErrorCode() & 0xff) == SQLITE_IOERR;
}

Result<std::unique_ptr<SQLite::Database>> open_database(const fs::path& file, bool writable) {
  std::error_code ec;
  if (!writable && !fs::exists(file, ec)) return error(Code::not_found, "{} does not exist yet", file.string());
  try {
    int flags = writable ? SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE : SQLite::OPEN_READONLY;
    auto db = std::make_unique<SQLite::Database>(file.string(), flags, kBusyTimeoutMs);
    if (writable) {
      std::string mode = db->execAndGet("PRAGMA journal_mode=WAL").getString();
      if (mode != "wal")
        return error(Code::failed_precondition,
                     "{} cannot use SQLite's WAL here (got \"{}\"); put the state directory on a local disk",
                     file.string(), mode);
    }
    db->exec("PRAGMA synchronous=FULL");
    db->exec("PRAGMA foreign_keys=ON");
    if (writable)
      db->exec(
          "CREATE TABLE IF NOT EXISTS schema_versions(component TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT");
    return db;
  } catch (const SQLite::Exception& e) {
    return database_error(e, "opening " + file.string());
  }
}

Result<int> schema_version(SQLite::Database& db, std::string_view component, int known) {
  try {
    int version = 0;
    if (db.tableExists("schema_versions")) {
      SQLite::Statement query(db, "SELECT version FROM schema_versions WHERE component=?");
      query.bind(1, std::string(component));
      if (query.executeStep()) version = query.getColumn(0).getInt();
    }
    if (version > known)
      return error(
          Code::failed_precondition,
          "the {} tables have version {}, this program knows {}: it was written by a newer Hearth; update this one",
          component, version, known);
    return version;
  } catch (const SQLite::Exception& e) {
    return database_error(e, "reading the schema version");
  }
}

void set_schema_version(SQLite::Database& db, std::string_view component, int version) {
  SQLite::Statement put(
      db, "INSERT INTO schema_versions VALUES(?,?) ON CONFLICT(component) DO UPDATE SET version=excluded.version");
  put.bind(1, std::string(component));
  put.bind(2, version);
  put.exec();
}

}  // namespace hearth::store
