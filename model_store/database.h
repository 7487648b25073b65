// Opening hearth.db the one way that is durable: WAL, synchronous FULL, foreign keys, a busy timeout. Several
// components keep tables in it, each with its own schema version.
//
// After any SQLITE_IOERR a process must not write on: SQLite may report the next commit as done although pages are
// lost. Callers turn such an error into their own death or refusal (see Catalog).
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "base/result.h"

namespace SQLite {
class Database;
class Exception;
}  // namespace SQLite

namespace hearth::store {

// Makes the file when writable. read_only: not_found when there is no database yet.
Result<std::unique_ptr<SQLite::Database>> open_database(const std::filesystem::path& file, bool writable);

// The version a component's tables have; 0: it has none yet. A newer version than `known` is failed_precondition.
Result<int> schema_version(SQLite::Database& db, std::string_view component, int known);
void set_schema_version(SQLite::Database& db, std::string_view component,
                        int version);  // throws; call inside a transaction

// SQLITE_FULL → resource_exhausted, BUSY → unavailable, CORRUPT/NOTADB/IOERR → data_loss, READONLY/CANTOPEN →
// permission_denied.
Error database_error(const SQLite::Exception& e, std::string_view doing);
bool is_io_error(const SQLite::Exception& e);

}  // namespace hearth::store
