// The engines' supervisor. A deployment's life:
//
//   starting ──ready──► ready ──ends or hangs──► restarting ──back-off──► starting
//      └── ends max_failed_starts times without having been ready ──► failed (until deployed again)
#include "appliance/hearthd/deployments.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/http/client.h"
#include "base/log.h"
#include "inference/engine/exit_codes.h"

namespace hearth {

using std::chrono::milliseconds;

constexpr milliseconds kStartingPoll{100};  // how often a starting engine is asked whether it is ready
constexpr milliseconds kIdlePoll{1000};

struct Deployments::Entry {
  api::DeployRequest request;
  api::Deployment status;
  std::optional<ChildProcess> engine;
  Clock::time_point next_start{}, started{}, next_health{}, ready_since{};
  milliseconds back_off{};
  int n_failed_starts = 0, n_failed_health = 0;
  bool restart = false;  // stop the engine that runs and start it with the request as it is now
  bool remove = false;
};

Deployments::Deployments(StateDir state, DeploymentOptions options, ServiceDb& db, EventBus& events)
    : state_(std::move(state)), options_(std::move(options)), db_(db), events_(events), last_tick_(now_seconds()) {}

Deployments::~Deployments() {
  stop();
}

Result<void> Deployments::start() {
  wake_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_.valid()) return errno_error("make an event descriptor for", "deployments", errno);
  for (const api::DeployRequest& request : TRY(db_.deployments())) {
    auto entry = std::make_unique<Entry>();
    entry->request = request;
    entry->back_off = options_.first_back_off;
    set_state(*entry, "starting", {"waiting_to_start"});
    entries_[request.model] = std::move(entry);
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  return {};
}

void Deployments::stop() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ended_.notify_all();
  thread_.request_stop();
  wake();
  thread_.join();
}

void Deployments::wake() {
  uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

Result<api::Deployment> Deployments::deploy(const api::DeployRequest& request, bool restart) {
  std::lock_guard lock(mutex_);
  TRY(db_.put_deployment(request));
  std::unique_ptr<Entry>& slot = entries_[request.model];
  bool is_new = !slot;
  if (is_new) slot = std::make_unique<Entry>();
  Entry& entry = *slot;
  bool is_same = !is_new && !entry.remove && entry.request.max_seq_len == request.max_seq_len &&
                 entry.request.n_threads == request.n_threads && entry.request.exact == request.exact &&
                 entry.request.force == request.force && entry.request.device == request.device;
  bool is_alive = is_same && (entry.status.state == "ready" || entry.status.state == "starting");
  if (is_alive && !restart) return entry.status;
  entry.request = request;
  if (std::exchange(entry.remove, false)) ended_.notify_all();
  entry.restart = entry.engine.has_value();
  entry.n_failed_starts = entry.status.n_restarts = 0;
  entry.back_off = options_.first_back_off;
  entry.next_start = {};
  entry.status.reason.clear();
  entry.status.cause = {};
  set_state(entry, "starting", {"waiting_to_start"});
  wake();
  return entry.status;
}

Result<void> Deployments::undeploy(const std::string& model, const std::stop_token& stop) {
  Lock lock(mutex_);
  auto it = entries_.find(model);
  if (it == entries_.end()) return error(Code::not_found, "{} is not deployed; `hearth ps` lists what is", model);
  TRY(db_.remove_deployment(model));
  it->second->remove = true;
  set_state(*it->second, "stopping", {"stopping_engine"});
  wake();
  auto is_removing = [&] {
    auto now = entries_.find(model);
    return now != entries_.end() && now->second->remove;
  };
  ended_.wait(lock, stop, [&] { return stopping_ || !is_removing(); });
  if (entries_.contains(model) && !is_removing())
    return error(Code::failed_precondition, "{} was deployed again meanwhile; it runs", model);
  return {};
}

struct ProcessMemory {
  uint64_t resident_bytes = 0, mapped_bytes = 0;  // the second: the part that lies in files
};

static ProcessMemory memory_of(int pid, const std::filesystem::path& proc_root) {
  auto text = pid > 0 ? read_file(proc_root / fmt::format("{}/statm", pid)) : Result<std::string>(std::string());
  if (!text) return {};
  uint64_t pages[3] = {};  // size, resident, shared
  const char* at = text->c_str();
  for (uint64_t& n : pages) {
    char* end = nullptr;
    n = std::strtoull(at, &end, 10);
    at = end;
  }
  const auto page_bytes = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  return {pages[1] * page_bytes, pages[2] * page_bytes};
}

static api::Deployment with_memory(api::Deployment status, const std::filesystem::path& proc_root) {
  if (uint64_t resident = memory_of(status.pid, proc_root).resident_bytes) status.memory_bytes = resident;
  return status;
}

uint64_t Deployments::held_bytes(const std::string& model) const {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(model);
  if (it == entries_.end()) return 0;
  const ProcessMemory memory = memory_of(it->second->status.pid, options_.proc_root);
  return memory.resident_bytes - std::min(memory.resident_bytes, memory.mapped_bytes);
}

std::vector<api::Deployment> Deployments::list() const {
  std::lock_guard lock(mutex_);
  std::vector<api::Deployment> out;
  for (const auto& [model, entry] : entries_) out.push_back(with_memory(entry->status, options_.proc_root));
  return out;
}

std::optional<api::Deployment> Deployments::find(const std::string& model) const {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(model);
  if (it == entries_.end()) return std::nullopt;
  return with_memory(it->second->status, options_.proc_root);
}

std::optional<api::DeployRequest> Deployments::request_of(const std::string& model) const {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(model);
  return it == entries_.end() ? std::nullopt : std::optional(it->second->request);
}

Result<std::filesystem::path> Deployments::ready_socket(const std::string& model) const {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(model);
  if (it == entries_.end()) return error(Code::not_found, "the model {} is not deployed", model);
  const api::Deployment& status = it->second->status;
  if (status.state == "ready") return state_.engine_socket(model);
  std::string why = status.reason.empty() ? status.step : status.reason;
  return error(Code::unavailable, "the model {} is not ready: {} ({})", model, status.state, why);
}

double Deployments::seconds_since_tick() const {
  return now_seconds() - last_tick_;
}

void Deployments::set_state(Entry& entry, api::DeploymentState state, const Phrase& phrase) {
  entry.status.model = entry.request.model;
  entry.status.state = state;
  say(entry.status, phrase);
  entry.status.pid = entry.engine ? entry.engine->pid() : 0;
  events_.publish(entry.status);
}

void Deployments::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    last_tick_ = now_seconds();
    {
      Lock lock(mutex_);
      std::vector<Entry*> entries;
      for (auto& [model, entry] : entries_) entries.push_back(entry.get());
      for (Entry* entry : entries) step(*entry, lock);
    }
    wait_for_work(stop);
  }
  stop_all_engines();
}

// All are asked at once, so that all together take no longer than the slowest.
void Deployments::stop_all_engines() {
  Lock lock(mutex_);
  for (auto& [model, entry] : entries_)
    if (entry->engine) entry->engine->signal_group(SIGTERM);
  auto deadline = Clock::now() + options_.stop_grace;
  for (auto& [model, entry] : entries_) {
    auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    if (entry->engine) stop_engine(*entry, lock, std::max(left, milliseconds(0)));
  }
}

// One look at one deployment. `lock` is held, and given up while something slow happens.
void Deployments::step(Entry& entry, Lock& lock) {
  if (entry.remove || entry.restart) {
    if (entry.engine) stop_engine(entry, lock, options_.stop_grace);
    entry.restart = false;
    if (entry.remove) {
      say(entry.status, {"stopped"});
      entry.status.pid = 0;
      events_.publish(entry.status);
      entries_.erase(entry.request.model);
      ended_.notify_all();
      return;
    }
  }
  if (entry.engine && entry.engine->poll_exit()) {
    if (entry.engine->exit_status() == kEngineCannotServe) entry.n_failed_starts = options_.max_failed_starts;
    const std::string reason = entry.engine->death();
    on_exit(entry, entry.engine->cause(), reason);
  } else if (entry.engine && Clock::now() >= entry.next_health) {
    check_health(entry, lock);
  } else if (!entry.engine && entry.status.state != "failed" && Clock::now() >= entry.next_start) {
    start_engine(entry);
  }
}

void Deployments::start_engine(Entry& entry) {
  const std::string& model = entry.request.model;
  std::filesystem::path socket = state_.engine_socket(model);
  std::error_code ignored;
  std::filesystem::remove(socket, ignored);
  ChildCommand command{.argv = {options_.engine.string(), "--state-dir", state_.root.string(), "--model", model,
                                "--socket", socket.string()},
                       .log = state_.logs() / fmt::format("engine-{}.log", model)};
  if (entry.request.max_seq_len)
    command.argv.insert(command.argv.end(), {"--max-seq-len", std::to_string(*entry.request.max_seq_len)});
  if (entry.request.n_threads)
    command.argv.insert(command.argv.end(), {"--threads", std::to_string(*entry.request.n_threads)});
  command.argv.insert(command.argv.end(), {"--device", entry.request.device});
  if (entry.request.exact) command.argv.emplace_back("--exact");
  if (entry.request.force) command.argv.emplace_back("--force");
  Result<ChildProcess> engine = ChildProcess::start(command);
  if (!engine) {
    on_exit(entry, {"worker_failed", {{"words", engine.error().to_string()}}}, engine.error().to_string());
    return;
  }
  entry.engine = std::move(*engine);
  entry.started = entry.next_health = Clock::now();
  entry.n_failed_health = 0;
  entry.status.started_at = now_seconds();
  spdlog::info("engine of {} started, process {}", model, entry.engine->pid());
  set_state(entry, "starting", {"loading_model"});
}

void Deployments::stop_engine(Entry& entry, Lock& lock, milliseconds grace) {
  ChildProcess engine = std::move(*entry.engine);
  entry.engine.reset();
  lock.unlock();
  engine.stop(grace);
  std::error_code ignored;
  std::filesystem::remove(state_.engine_socket(entry.request.model), ignored);
  lock.lock();
  spdlog::info("engine of {} stopped", entry.request.model);
}

void Deployments::check_health(Entry& entry, Lock& lock) {
  bool is_ready = entry.status.state == "ready";
  http::ClientRequest request{.url = "http://localhost/health",
                              .unix_socket = state_.engine_socket(entry.request.model),
                              .timeout = is_ready ? options_.health_timeout : milliseconds(1000)};
  lock.unlock();
  Result<http::ClientResponse> answer = http::fetch(request);
  lock.lock();
  bool healthy = answer && answer->status == 200;
  entry.next_health = Clock::now() + (healthy    ? options_.health_interval
                                      : is_ready ? milliseconds(1000)
                                                 : kStartingPoll);
  if (entry.remove || entry.restart) return;  // asked for meanwhile
  if (healthy && !is_ready) {
    if (auto document = parse_json(answer->body); document && document->is_object()) {
      entry.status.max_seq_len = json_get_or<int>(*document, "max_seq_len", 0).value_or(0);
      entry.status.device = json_get_or<std::string>(*document, "device", "").value_or("");
      entry.status.device_reason = json_get_or<std::string>(*document, "device_reason", "").value_or("");
      entry.status.device_note = json_get_or<std::string>(*document, "device_note", "").value_or("");
    }
    entry.ready_since = Clock::now();
    entry.n_failed_starts = entry.n_failed_health = 0;
    entry.status.reason.clear();
    entry.status.cause = {};
    spdlog::info("{} is ready", entry.request.model);
    set_state(entry, "ready", {"answering"});
  } else if (healthy) {
    entry.n_failed_health = 0;
    if (Clock::now() - entry.ready_since > options_.stable_after) entry.back_off = options_.first_back_off;
  } else if (is_ready && ++entry.n_failed_health >= options_.max_failed_health) {
    stop_engine(entry, lock, options_.stop_grace);
    on_exit(entry, {"worker_hangs"},
            fmt::format("the engine did not answer {} health checks in a row and was stopped", entry.n_failed_health));
  } else if (!is_ready && Clock::now() - entry.started > options_.start_limit) {
    stop_engine(entry, lock, options_.stop_grace);
    on_exit(entry, {"worker_hangs"},
            fmt::format("the engine was not ready within {} s and was stopped", options_.start_limit.count() / 1000));
  }
}

void Deployments::on_exit(Entry& entry, const Phrase& cause, const std::string& reason) {
  bool was_ready = entry.status.state == "ready";
  entry.engine.reset();
  spdlog::warn("engine of {}: {}", entry.request.model, reason);
  entry.status.reason = reason;
  entry.status.cause = cause;
  if (!was_ready && ++entry.n_failed_starts >= options_.max_failed_starts) {
    const bool can_never = entry.n_failed_starts > options_.max_failed_starts;
    set_state(entry, "failed",
              can_never ? Phrase{"cannot_be_served"}
                        : Phrase{"gave_up", {{"starts", std::to_string(entry.n_failed_starts)}}});
    return;
  }
  ++entry.status.n_restarts;
  entry.next_start = Clock::now() + entry.back_off;
  const double seconds = std::chrono::duration<double>(entry.back_off).count();
  set_state(entry, "restarting", {"starting_again", {{"seconds", fmt::format("{:.1f}", seconds)}}});
  entry.back_off = std::min(entry.back_off * 2, options_.longest_back_off);
}

// Sleeps until an engine wrote or ended, somebody asked for something, or the next start or health check is due.
void Deployments::wait_for_work(const std::stop_token& stop) {
  std::vector<pollfd> watched{{wake_.get(), POLLIN, 0}};
  auto wait = kIdlePoll;
  {
    Lock lock(mutex_);
    auto now = Clock::now();
    for (auto& [model, entry] : entries_) {
      if (entry->remove || entry->restart) return;
      if (entry->status.state == "failed") continue;
      bool has_output = entry->engine && entry->engine->output_fd() >= 0;
      if (has_output) watched.push_back({entry->engine->output_fd(), POLLIN, 0});
      if (entry->engine && !has_output) wait = std::min(wait, kStartingPoll);  // its output ended: it is about to end
      auto due = entry->engine ? entry->next_health : entry->next_start;
      wait = std::clamp(std::chrono::ceil<milliseconds>(due - now), milliseconds(0), wait);
    }
  }
  if (stop.stop_requested()) return;
  ::poll(watched.data(), watched.size(), static_cast<int>(wait.count()));
  uint64_t ignored;
  (void)!::read(wake_.get(), &ignored, sizeof ignored);
}

}  // namespace hearth
