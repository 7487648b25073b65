// Deployments: which models shall run, and the engines that run them. One thread starts, watches, restarts and stops
// engines; everything else asks it. Desired deployments are in hearth.db before deploy() returns.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "appliance/api/types.h"
#include "appliance/hearthd/event_bus.h"
#include "appliance/hearthd/service_db.h"
#include "appliance/hearthd/workers/child_process.h"
#include "appliance/state/state_dir.h"

namespace hearth {

struct DeploymentOptions {
  std::filesystem::path engine;               // the hearth-engine program
  std::filesystem::path proc_root = "/proc";  // where processes say how much memory they hold
  std::chrono::milliseconds first_back_off{500}, longest_back_off{60'000};
  std::chrono::milliseconds stable_after{60'000};      // ready for so long: the back-off starts anew
  std::chrono::milliseconds start_limit{15 * 60'000};  // a start that takes longer has failed
  std::chrono::milliseconds health_interval{5'000};    // of a ready engine
  std::chrono::milliseconds health_timeout{5'000};
  std::chrono::milliseconds stop_grace{5'000};
  int max_failed_starts = 5;  // in a row, without having been ready: then the state is "failed"
  int max_failed_health = 6;  // in a row: then the engine is killed and restarted
};

class Deployments {
 public:
  Deployments(StateDir state, DeploymentOptions options, ServiceDb& db, EventBus& events);
  ~Deployments();  // stops all engines; what is desired stays in hearth.db

  Result<void> start();  // and deploys what hearth.db says
  void stop();

  // Deploys, or deploys again with other options. The caller knows that the model is in the store.
  // `restart`: even when it runs with these very options, because the model's files changed.
  Result<api::Deployment> deploy(const api::DeployRequest& request, bool restart = false);
  std::optional<api::DeployRequest> request_of(const std::string& model) const;
  // Returns when the engine has ended, or when `stop` is requested: the engine then ends a little later. not_found when
  // it is not deployed; failed_precondition when it was deployed again meanwhile.
  Result<void> undeploy(const std::string& model, const std::stop_token& stop = {});
  std::vector<api::Deployment> list() const;
  std::optional<api::Deployment> find(const std::string& model) const;
  // Memory of its engine that no other program could use: not what is mapped from files. 0: it has no engine.
  uint64_t held_bytes(const std::string& model) const;
  // Where the engine of a ready deployment listens. not_found, or unavailable while it starts.
  Result<std::filesystem::path> ready_socket(const std::string& model) const;
  double seconds_since_tick() const;  // of the watching thread, for the watchdog

 private:
  using Clock = std::chrono::steady_clock;
  using Lock = std::unique_lock<std::mutex>;
  struct Entry;

  void run(const std::stop_token& stop);
  void step(Entry& entry, Lock& lock);
  void start_engine(Entry& entry);
  void stop_engine(Entry& entry, Lock& lock, std::chrono::milliseconds grace);
  void stop_all_engines();
  void check_health(Entry& entry, Lock& lock);
  void on_exit(Entry& entry, const Phrase& cause, const std::string& reason);
  void set_state(Entry& entry, api::DeploymentState state, const Phrase& phrase);
  void wait_for_work(const std::stop_token& stop);
  void wake();

  const StateDir state_;
  const DeploymentOptions options_;
  ServiceDb& db_;
  EventBus& events_;
  mutable std::mutex mutex_;
  std::condition_variable_any ended_;                      // an undeploy() may have its answer
  std::map<std::string, std::unique_ptr<Entry>> entries_;  // only the thread erases. Changes with its rows in hearth.db
  bool stopping_ = false;
  Fd wake_;  // an eventfd
  std::atomic<double> last_tick_;
  std::jthread thread_;
};

}  // namespace hearth
