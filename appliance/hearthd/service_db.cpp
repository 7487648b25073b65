// The service's tables. Rows hold documents of the described API types, so a new optional field needs no migration.
#include "appliance/hearthd/service_db.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <unistd.h>

#include "base/log.h"
#include "model_store/database.h"

namespace hearth {
namespace {

constexpr std::string_view kComponent = "hearthd";
constexpr int kSchemaVersion = 1;
constexpr int kExitIoError = 70;

constexpr const char* kSchema = R"(
  CREATE TABLE deployments(model TEXT PRIMARY KEY, request TEXT NOT NULL) STRICT;
  CREATE TABLE jobs(id INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL, params TEXT NOT NULL) STRICT;
  CREATE TABLE datasets(id TEXT PRIMARY KEY, dataset TEXT NOT NULL) STRICT;
  CREATE TABLE dataset_ids(id INTEGER PRIMARY KEY AUTOINCREMENT, unused INTEGER) STRICT;
  CREATE TABLE bundled_packs(digest TEXT PRIMARY KEY) STRICT;
)";

// After a failed write SQLite may call a later commit done although pages are lost. Dying and recovering is the only
// honest answer.
Error fatal_if_io(const SQLite::Exception& e, std::string_view doing) {
  Error failed = store::database_error(e, doing);
  if (store::is_io_error(e)) {
    spdlog::critical("{}; the service stops so that nothing is believed that is not on disk", failed.to_string());
    ::_exit(kExitIoError);
  }
  return failed;
}

template <class T>
std::string to_text(const T& value) {
  return dump_json(to_json_value(value));
}

template <class T>
Result<T> from_text(const std::string& text) {
  return from_json<T>(TRY(parse_json(text)));
}

template <class T>
Result<std::vector<T>> read_all(const std::vector<std::string>& texts) {
  std::vector<T> out;
  for (const std::string& text : texts) out.push_back(TRY_WITH(from_text<T>(text), "in hearth.db"));
  return out;
}

std::vector<std::string> column(SQLite::Database& db, const char* sql) {
  std::vector<std::string> out;
  for (SQLite::Statement query(db, sql); query.executeStep();) out.push_back(query.getColumn(0).getString());
  return out;
}

template <class... Args>
void run(SQLite::Database& db, const char* sql, const Args&... args) {
  SQLite::Statement statement(db, sql);
  int i = 0;
  (statement.bind(++i, args), ...);
  statement.exec();
}

void insert_job(SQLite::Database& db, JobRow& row) {
  run(db, "INSERT INTO jobs(job, params) VALUES('{}', ?)", dump_json(row.params));
  row.job.id = std::to_string(db.getLastInsertRowid());
  run(db, "UPDATE jobs SET job = ? WHERE id = ?", to_text(row.job), row.job.id);
}

}  // namespace

ServiceDb::ServiceDb(std::unique_ptr<SQLite::Database> db) : db_(std::move(db)) {}
ServiceDb::~ServiceDb() = default;

template <class F>
auto ServiceDb::guarded(std::string_view doing, F f) -> Result<decltype(f())> {
  std::lock_guard lock(mutex_);
  try {
    if constexpr (std::is_void_v<decltype(f())>) {
      f();
      return {};
    } else {
      return f();
    }
  } catch (const SQLite::Exception& e) {
    return fatal_if_io(e, doing);
  }
}

Result<std::unique_ptr<ServiceDb>> ServiceDb::open(const std::filesystem::path& file) {
  std::unique_ptr<SQLite::Database> db = TRY(store::open_database(file, true));
  int version = TRY(store::schema_version(*db, kComponent, kSchemaVersion));
  std::unique_ptr<ServiceDb> out(new ServiceDb(std::move(db)));
  if (version == 0)
    TRY(out->guarded("creating the service's tables", [&] {
      SQLite::Transaction transaction(*out->db_);
      out->db_->exec(kSchema);
      store::set_schema_version(*out->db_, kComponent, kSchemaVersion);
      transaction.commit();
    }));
  return out;
}

Result<std::vector<api::DeployRequest>> ServiceDb::deployments() {
  return read_all<api::DeployRequest>(
      TRY(guarded("reading the deployments", [&] { return column(*db_, "SELECT request FROM deployments ORDER BY model"); })));
}

Result<void> ServiceDb::put_deployment(const api::DeployRequest& request) {
  return guarded("saving a deployment", [&] {
    run(*db_, "INSERT INTO deployments VALUES(?, ?) ON CONFLICT(model) DO UPDATE SET request = excluded.request", request.model,
        to_text(request));
  });
}

Result<void> ServiceDb::remove_deployment(const std::string& model) {
  return guarded("removing a deployment", [&] { run(*db_, "DELETE FROM deployments WHERE model = ?", model); });
}

Result<std::vector<JobRow>> ServiceDb::jobs() {
  std::vector<std::string> jobs, params;
  TRY(guarded("reading the jobs", [&] {
    jobs = column(*db_, "SELECT job FROM jobs ORDER BY id");
    params = column(*db_, "SELECT params FROM jobs ORDER BY id");
  }));
  std::vector<JobRow> out;
  for (size_t i = 0; i < jobs.size(); ++i) {
    api::Job job = TRY_WITH(from_text<api::Job>(jobs[i]), "in hearth.db");
    Json asked = TRY_WITH(parse_json(params[i]), "in hearth.db");
    out.push_back({std::move(job), std::move(asked)});
  }
  return out;
}

Result<std::string> ServiceDb::add_job(JobRow& row) {
  return guarded("saving a job", [&] {
    SQLite::Transaction transaction(*db_);
    insert_job(*db_, row);
    transaction.commit();
    return row.job.id;
  });
}

Result<void> ServiceDb::update_job(const api::Job& job) {
  return guarded("saving a job", [&] { run(*db_, "UPDATE jobs SET job = ? WHERE id = ?", to_text(job), job.id); });
}

Result<void> ServiceDb::remove_job(const std::string& id) {
  return guarded("removing a job", [&] { run(*db_, "DELETE FROM jobs WHERE id = ?", id); });
}

Result<std::vector<api::Dataset>> ServiceDb::datasets() {
  return read_all<api::Dataset>(
      TRY(guarded("reading the datasets", [&] { return column(*db_, "SELECT dataset FROM datasets ORDER BY rowid"); })));
}

Result<std::string> ServiceDb::next_dataset_id() {
  return guarded("numbering a dataset", [&] {
    run(*db_, "INSERT INTO dataset_ids(unused) VALUES(0)");
    return std::to_string(db_->getLastInsertRowid());
  });
}

Result<void> ServiceDb::put_dataset(const api::Dataset& dataset) {
  return guarded("saving a dataset", [&] {
    run(*db_, "INSERT INTO datasets VALUES(?, ?) ON CONFLICT(id) DO UPDATE SET dataset = excluded.dataset", dataset.id,
        to_text(dataset));
  });
}

Result<void> ServiceDb::remove_dataset(const std::string& id) {
  return guarded("removing a dataset", [&] { run(*db_, "DELETE FROM datasets WHERE id = ?", id); });
}

Result<bool> ServiceDb::bundled_pack_seen(const std::string& digest) {
  return guarded("reading the bundled packs", [&] {
    SQLite::Statement query(*db_, "SELECT 1 FROM bundled_packs WHERE digest = ?");
    query.bind(1, digest);
    return query.executeStep();
  });
}

Result<std::string> ServiceDb::add_bundled_pack(const std::string& digest, JobRow& row) {
  return guarded("saving a bundled pack's job", [&] {
    SQLite::Transaction transaction(*db_);
    run(*db_, "INSERT INTO bundled_packs VALUES(?)", digest);
    insert_job(*db_, row);
    transaction.commit();
    return row.job.id;
  });
}

}  // namespace hearth
