// The service: everything that hearthd owns, made in order, taken down in reverse. Endpoints get a reference to it.
#pragma once

#include <memory>

#include "appliance/hearthd/datasets.h"
#include "appliance/hearthd/deployments.h"
#include "appliance/hearthd/event_bus.h"
#include "appliance/hearthd/hardware.h"
#include "appliance/hearthd/jobs/jobs.h"
#include "appliance/hearthd/options.h"
#include "appliance/hearthd/pack_sources.h"
#include "appliance/hearthd/request_metrics.h"
#include "appliance/hearthd/service_db.h"
#include "base/files.h"
#include "model_store/store.h"

namespace hearth::http {
class Server;
}

namespace hearth {

class Service {
 public:
  // Takes the lock, opens the store, resumes what is desired, offers the bundled packs, and listens.
  static Result<std::unique_ptr<Service>> start(ServiceOptions options);
  ~Service();  // as stop()
  void stop();

  // Models are named by either of their names.
  // Whether a model fits into the memory that it may use: what is free, without what the other deployments will still
  // take, and with what its own engine gives back.
  Result<api::Fit> fit(const std::string& model, int max_seq_len = 0);
  // Deploys, unless the model is not in the store or does not fit and that is not forced. Not at once with
  // remove_model().
  Result<api::Deployment> deploy(const api::DeployRequest& request);
  Result<void> undeploy(const std::string& model, const std::stop_token& stop);
  Result<void> remove_model(const std::string& name);
  Result<uint64_t> collect_garbage() { return store_.collect_garbage(); }  // → bytes freed
  // As Jobs::train and Jobs::export_pack, but never at once with remove_model().
  Result<api::Job> train(const api::TrainRequest& request);
  Result<api::Job> export_pack(const api::ExportRequest& request);
  api::Model describe(const store::ModelRecord& record) const;
  double seconds_since_tick() const { return deployments.seconds_since_tick(); }

  const ServiceOptions options;
  std::string listen;  // the bound address
  const double started_at;
  EventBus events;
  RequestMetrics requests;
  Hardware hardware;

 private:  // in order of construction
  LockFile lock_;
  std::unique_ptr<ServiceDb> db_;
  store::Store store_;
  std::mutex model_changes_;  // beginning to use a model and removing it exclude each other

 public:
  const store::Store& store() const { return store_; }
  Datasets datasets;
  Deployments deployments;
  Jobs jobs;
  PackSources sources;

 private:
  uint64_t promised_bytes(const std::string& model, uint64_t free_bytes) const;
  Result<void> check_fits(const api::DeployRequest& request);
  Service(ServiceOptions options, LockFile lock, std::unique_ptr<ServiceDb> db, store::Store store);
  Result<void> begin();
  Result<void> offer_bundled_packs();
  Result<void> listen_for_requests();
  Result<void> on_installed(const std::string& model, bool was_replaced, bool deploy);

  std::unique_ptr<http::Server> server_;
  bool stopped_ = false;
};

// main() of hearthd and `hearth serve`: runs until SIGTERM or SIGINT. Tells systemd when it is ready and alive.
Result<void> run_service(ServiceOptions options);

}  // namespace hearth
