// GET /metrics: Prometheus text.
#include "appliance/hearthd/endpoints/endpoints.h"
#include "hwdetect/memory.h"

namespace hearth {

static std::string gauge(std::string_view name, std::string_view help) {
  return fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", name, help);
}

static std::string metrics_text(const Service& service) {
  std::string out = gauge("hearth_build_info", "Version of the service.");
  out += fmt::format("hearth_build_info{{version=\"{}\"}} 1\n", HEARTH_VERSION);
  out += gauge("hearth_start_time_seconds", "When the service started.") +
         fmt::format("hearth_start_time_seconds {:.3f}\n", service.started_at);
  out += gauge("hearth_memory_available_bytes", "Memory that can be used now.") +
         fmt::format("hearth_memory_available_bytes {}\n", available_memory_bytes());
  std::string ready = gauge("hearth_deployment_ready", "1 when the model answers.");
  std::string memory = gauge("hearth_deployment_memory_bytes", "Resident memory of the engine.");
  std::string restarts =
      "# HELP hearth_deployment_restarts_total Restarts of the engine since deployed.\n# TYPE "
      "hearth_deployment_restarts_total counter\n";
  for (const api::Deployment& d : service.deployments.list()) {
    ready += fmt::format("hearth_deployment_ready{{model=\"{}\"}} {}\n", d.model, d.state == "ready" ? 1 : 0);
    memory += fmt::format("hearth_deployment_memory_bytes{{model=\"{}\"}} {}\n", d.model, d.memory_bytes);
    restarts += fmt::format("hearth_deployment_restarts_total{{model=\"{}\"}} {}\n", d.model, d.n_restarts);
  }
  std::map<std::pair<std::string, std::string>, int> jobs;
  for (const api::Job& job : service.jobs.list()) ++jobs[{job.kind.text(), job.state.text()}];
  std::string job_counts = gauge("hearth_jobs", "Jobs by kind and state.");
  for (const auto& [key, n] : jobs)
    job_counts += fmt::format("hearth_jobs{{kind=\"{}\",state=\"{}\"}} {}\n", key.first, key.second, n);
  return out + ready + memory + restarts + job_counts + service.requests.prometheus_text();
}

void add_metrics(Endpoints& table, Service& service) {
  table.push_back({.method = "GET",
                   .path = "/metrics",
                   .summary = "Counters and gauges for Prometheus",
                   .response_type = "text/plain",
                   .handler = [&service](http::Request&) -> Result<http::Response> {
                     return http::text_response(metrics_text(service), "text/plain; version=0.0.4; charset=utf-8");
                   },
                   .options = {.quick = true}});
}

}  // namespace hearth
