// Waiting for a deployment.
#include "appliance/cli/deployments.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace hearth::cli {
namespace {

constexpr std::chrono::milliseconds kPoll{100};
constexpr std::chrono::minutes kLongest{10};

// A job that may still bring this model, or none.
Result<std::optional<api::Job>> installing(const ApiClient& service) {
  for (const api::Job& job : TRY(service.list<api::Job>("/hearth/v1/jobs", "jobs")))
    if (job.kind == "install" && (job.state == "queued" || job.state == "running")) return std::optional(job);
  return std::optional<api::Job>();
}

// The model's name here. Of one that is still being installed: as it was given.
Result<std::string> name_here(const ApiClient& service, const std::string& given) {
  auto found = service.get_as<api::Model>("/hearth/v1/models/" + http::percent_encode(given));
  if (found) return std::move(found->name);
  if (found.error().code == Code::not_found) return given;
  return std::move(found).error();
}

Error not_there(const ApiClient& service, const std::string& model) {
  if (auto found = service.get_as<api::Model>("/hearth/v1/models/" + http::percent_encode(model)))
    return error(Code::failed_precondition, "{}{} is installed but not deployed; deploy it with `hearth deploy {}`",
                 model, found->kind == "adapter" ? ", an adapter of " + found->parent.value_or("?") + "," : "", model);
  std::string names;
  if (auto models = service.list<api::Model>("/hearth/v1/models", "models"))
    for (const api::Model& m : *models) names += (names.empty() ? "" : ", ") + m.name;
  return error(Code::not_found, "there is no model {} on this box; there are: {}", model,
               names.empty() ? "none" : names);
}

}  // namespace

Result<api::Deployment> wait_until_ready(const ApiClient& service, const std::string& given) {
  ProgressBar bar;
  std::string model = given;
  auto deadline = std::chrono::steady_clock::now() + kLongest;
  while (std::chrono::steady_clock::now() < deadline) {
    std::optional<api::Job> job = TRY(installing(service));  // before the deployments: it ends by making one
    model = TRY(name_here(service, given));
    auto all = TRY(service.list<api::Deployment>("/hearth/v1/deployments", "deployments"));
    auto found = std::find_if(all.begin(), all.end(), [&](const api::Deployment& d) { return d.model == model; });
    if (found == all.end() && !job) return not_there(service, model);
    if (found != all.end()) {
      if (found->state == "ready") return *found;
      if (found->state == "failed")
        return error(Code::unavailable, "{} could not start: {}; {}", model, found->reason, found->step);
      bar.show(0, fmt::format("{}: {}{}", model, found->step, found->reason.empty() ? "" : " (" + found->reason + ")"));
    } else {
      bar.show(job->progress, job->title + ": " + job->step);
    }
    std::this_thread::sleep_for(kPoll);
  }
  return error(Code::deadline_exceeded, "{} was not ready within {} minutes; `hearth ps` tells its state", model,
               kLongest.count());
}

}  // namespace hearth::cli
