// Datasets: files that people gave the box to train on, checked when they come.
// On disk: datasets/<id>.<jsonl|txt|md>; a dataset exists when its row is in hearth.db. Any thread.
#pragma once

#include <map>
#include <mutex>

#include "appliance/api/types.h"
#include "appliance/hearthd/service_db.h"
#include "appliance/state/state_dir.h"

namespace hearth {

class Datasets {
 public:
  Datasets(StateDir state, ServiceDb& db) : state_(std::move(state)), db_(db) {}
  Result<void> start();  // reads hearth.db and removes files without a row

  // Takes the file over (moves it). `name`: what the person calls it; only a label, never a path.
  Result<api::Dataset> add(const std::filesystem::path& uploaded, std::string_view name);
  std::vector<api::Dataset> list() const;  // newest first
  Result<api::Dataset> find(const std::string& id) const;
  Result<api::DatasetPreview> preview(const std::string& id) const;  // reads no more than it shows
  Result<void> remove(const std::string& id);
  std::filesystem::path file(const api::Dataset& dataset) const;

 private:
  void rename_older(const api::Dataset& dataset) const;

  const StateDir state_;
  ServiceDb& db_;
  mutable std::mutex mutex_;
  std::map<int64_t, api::Dataset> datasets_;
};

}  // namespace hearth
