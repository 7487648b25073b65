// Starting and stopping the service.
#include "appliance/hearthd/service.h"

#include <algorithm>

#include "appliance/box/fit.h"
#include "appliance/hearthd/endpoints/endpoints.h"
#include "base/http/server.h"
#include "base/log.h"
#include "hwdetect/gpu.h"
#include "hwdetect/memory.h"
#include "runtime/exec/devices.h"

namespace hearth {

constexpr std::chrono::seconds kRequestGrace{5};
constexpr int kSocketMode = 0666;  // who gets to it is said by its folder: 0750, or 0751 where the package made it
constexpr int kMaxHandlers = 256;  // each open answer and each event stream holds one

Result<std::unique_ptr<Service>> Service::start(ServiceOptions options) {
  TRY(options.state.make_folders());
  LockFile lock = TRY_WITH(LockFile::acquire(options.state.lock()), "another hearthd may be running on {}",
                           options.state.root.string());
  std::error_code ignored;
  for (const std::filesystem::path& folder : {options.state.uploads(), options.state.wishes()})
    for (const auto& left : std::filesystem::directory_iterator(folder, ignored))
      std::filesystem::remove(left, ignored);
  store::Store store =
      TRY(store::Store::open(options.state.root, store::Mode::read_write, {.trust_folders = options.trust_folders}));
  std::unique_ptr<ServiceDb> db = TRY(ServiceDb::open(options.state.database()));
  options.deployments.proc_root = options.machine.proc_root;
  std::unique_ptr<Service> service(new Service(std::move(options), std::move(lock), std::move(db), std::move(store)));
  TRY(service->begin());
  return service;
}

Service::Service(ServiceOptions o, LockFile lock, std::unique_ptr<ServiceDb> db, store::Store store)
    : options(std::move(o)),
      started_at(now_seconds()),
      hardware(options.state.root),
      lock_(std::move(lock)),
      db_(std::move(db)),
      store_(std::move(store)),
      datasets(options.state, *db_),
      deployments(options.state, options.deployments, *db_, events),
      jobs(options.state, options.jobs, *db_, store_, datasets, events),
      sources(events) {
  jobs.on_installed = [this](const std::string& model, bool was_replaced, bool deploy) {
    return on_installed(model, was_replaced, deploy);
  };
}

Service::~Service() {
  stop();
}

Result<void> Service::begin() {
  TRY(datasets.start());
  TRY(deployments.start());
  TRY(jobs.start());
  sources.start();
  if (Result<void> offered = offer_bundled_packs(); !offered)
    spdlog::warn("the bundled model: {}", offered.error().to_string());
  return listen_for_requests();
}

void Service::stop() {
  if (std::exchange(stopped_, true)) return;
  events.close();
  jobs.request_stop();  // a trainer writes its checkpoint while the requests end
  if (server_) server_->stop(kRequestGrace);
  sources.stop();
  deployments.stop();
  jobs.stop();
}

Result<void> Service::offer_bundled_packs() {
  std::error_code ignored;
  if (options.bundled_packs.empty() || !std::filesystem::exists(options.bundled_packs, ignored)) return {};
  bool deploy = deployments.list().empty();
  for (const store::PackSummary& pack : TRY(store_.scan(options.bundled_packs))) {
    if (pack.trust != store::Trust::trusted) {
      spdlog::warn("the bundled pack {}: {}", pack.name, pack.problem);
      continue;
    }
    auto job =
        TRY(jobs.install_bundled({.path = options.bundled_packs.string(), .digest = pack.digest, .deploy = deploy}));
    if (job) deploy = false;  // the first one only
  }
  return {};
}

Result<void> Service::on_installed(const std::string& model, bool was_replaced, bool deploy_it) {
  std::optional<api::DeployRequest> now = deployments.request_of(model);
  if (now && was_replaced) {
    TRY(deployments.deploy(*now, true));
  } else if (!now && deploy_it) {
    TRY_WITH(deploy({.model = model}), "{} is installed, but was not started", model);
  }
  return {};
}

// What the deployments beside `model` are going to hold and do not hold yet: weights that are mapped count as free
// memory, and a cache grows with its conversations.
uint64_t Service::promised_bytes(const std::string& model, uint64_t free_bytes) const {
  uint64_t out = 0;
  for (const api::Deployment& other : deployments.list()) {
    const auto request = deployments.request_of(other.model);
    const auto record = store_.find(other.model);
    const auto path = store_.loader_path(other.model);
    const bool is_elsewhere =  // it fills a GPU's memory
        other.device.starts_with("cuda") || (request && request->device.starts_with("cuda"));
    if (other.model == model || other.state == "failed" || is_elsewhere || !request || !record || !path) continue;
    const int context = other.max_seq_len > 0 ? other.max_seq_len : request->max_seq_len.value_or(0);
    const auto fit = predict_fit(*record, *path, {.max_seq_len = context, .available_bytes = free_bytes});
    if (fit) out += fit->total_bytes - std::min(fit->total_bytes, deployments.held_bytes(other.model));
  }
  return out;
}

static Result<uint64_t> available_memory(const DetectOptions& machine) {
  const Reading<uint64_t> available = memory_now(machine).available_bytes;
  if (!available) return error(Code::unavailable, "it is not known how much memory is free: {}", available.reason);
  return *available.value;
}

Result<api::Fit> Service::fit(const std::string& given, int max_seq_len) {
  const std::string model = TRY(store_.resolve(given));
  const store::ModelRecord record = TRY(store_.find(model));
  const uint64_t free_bytes = TRY(available_memory(options.machine)) + deployments.held_bytes(model);
  const uint64_t promised = promised_bytes(model, free_bytes);
  return predict_fit(record, TRY(store_.loader_path(model)),
                     {.max_seq_len = max_seq_len,
                      .available_bytes = free_bytes - std::min(free_bytes, promised),
                      .memory_read_bytes_per_s = hardware.memory_read_bytes_per_s()});
}

// A GPU's memory is its own, and only the engine opens one: it says whether the model fits there.
static bool may_run_on_gpu(const api::DeployRequest& request, const DetectOptions& machine) {
  return request.device.starts_with("cuda") || (request.device == kAnyDevice && has_nvidia_gpu(machine));
}

// A model that cannot be judged is tried: its engine says what is wrong with it.
Result<void> Service::check_fits(const api::DeployRequest& request) {
  if (request.force || may_run_on_gpu(request, options.machine)) return {};
  const auto predicted = fit(request.model, request.max_seq_len.value_or(0));
  if (!predicted || predicted->verdict != "too_large") return {};
  return error(
      Code::resource_exhausted,
      "{} needs more memory than is free: {} With force (`hearth deploy {} --force`) it is started all the same, "
      "and will be slow",
      request.model, predicted->explanation, request.model);
}

// Before the engine that runs now is stopped for it.
static Result<void> check_context(const store::ModelRecord& model, const api::DeployRequest& request) {
  if (!request.max_seq_len) return {};
  if (*request.max_seq_len < 1)
    return error(Code::invalid_argument, "max_seq_len must be at least 1, got {}", *request.max_seq_len);
  if (model.max_seq_len > 0 && *request.max_seq_len > model.max_seq_len)
    return error(Code::invalid_argument, "a context of {} tokens was asked for; the limit of {} itself is {}",
                 *request.max_seq_len, model.name, model.max_seq_len);
  return {};
}

Result<api::Deployment> Service::deploy(const api::DeployRequest& given) {
  std::lock_guard lock(model_changes_);
  api::DeployRequest request = given;
  request.model = TRY(store_.resolve(given.model));
  TRY(store_.loader_path(request.model));  // of an adapter, its base too
  TRY(check_context(TRY(store_.find(request.model)), request));
  TRY(check_device_name(request.device));
  if (request.n_threads && (*request.n_threads < 1 || *request.n_threads > 4096))
    return error(Code::invalid_argument, "n_threads must be from 1 to 4096, got {}", *request.n_threads);
  TRY(check_fits(request));
  return deployments.deploy(request);
}

Result<void> Service::undeploy(const std::string& given, const std::stop_token& stop) {
  return deployments.undeploy(store_.resolve(given).value_or(given), stop);
}

Result<void> Service::remove_model(const std::string& given) {
  std::lock_guard lock(model_changes_);
  const std::string name = TRY(store_.resolve(given));
  if (deployments.find(name)) return error(Code::failed_precondition, "{} is deployed; undeploy it first", name);
  if (jobs.uses_model(name))
    return error(Code::failed_precondition, "a job still uses {}; wait for it or cancel it", name);
  TRY(store_.remove(name));
  events.publish("model", name, name + " was removed");
  return {};
}

Result<api::Job> Service::train(const api::TrainRequest& request) {
  std::lock_guard lock(model_changes_);
  return jobs.train(request);
}

Result<api::Job> Service::export_pack(const api::ExportRequest& request) {
  std::lock_guard lock(model_changes_);
  return jobs.export_pack(request);
}

static Phrase phrase_of(const store::Origin& origin) {
  if (origin.kind == "bundled") return {"came_with_box"};
  if (origin.kind == "pack") return {"from_pack", {{"from", origin.from}}};
  if (origin.kind == "import") return {"imported", {{"from", origin.from}}};
  if (origin.kind == "training") return {"trained_here", {{"job", origin.from}}};
  return {};
}

api::Model Service::describe(const store::ModelRecord& record) const {
  return {.name = record.name,
          .display_name = record.display_name,
          .kind = api::ModelKind::read(record.kind),
          .version = record.version,
          .family = record.family,
          .dtype = record.dtype,
          .source = in_words(record.origin),
          .license = record.license,
          .description = record.description,
          .state = deployments.find(record.name) ? api::ModelState("deployed") : api::ModelState("installed"),
          .size_bytes = record.size_bytes,
          .n_params = record.n_params,
          .max_seq_len = record.max_seq_len,
          .has_chat_template = record.has_chat_template,
          .bundled = record.bundled,
          .parent = record.parent,
          .installed_at = record.installed_at,
          .origin = phrase_of(record.origin)};
}

Result<void> Service::listen_for_requests() {
  http::ServerOptions server_options;
  server_options.max_handlers = kMaxHandlers;
  server_options.allowed_hosts = options.allowed_hosts;
  server_options.upload_folder = options.state.uploads();
  server_options.on_request = [this](const http::Request& request, const http::Route* route, int status,
                                     double seconds) {
    requests.record(request.method, route ? route->pattern : "", status, seconds);
    spdlog::debug("{} {} {} {:.1f} ms", request.method, request.path, status, seconds * 1e3);
  };
  server_ = TRY(http::Server::create(make_router(all_endpoints(*this)), std::move(server_options)));
  listen = TRY(server_->listen_tcp(options.listen));
  TRY(server_->listen_unix(options.state.socket(), kSocketMode));
  spdlog::info("listening on http://{} and {}", listen, options.state.socket().string());
  bool is_loopback = listen.starts_with("127.") || listen.starts_with("[::1]");
  spdlog::warn(
      "this version asks nobody for a key: {} can chat, install and remove models, and train through {}",
      is_loopback ? "every user and program of this machine" : "everybody on the networks that reach this machine",
      listen);
  return {};
}

}  // namespace hearth
