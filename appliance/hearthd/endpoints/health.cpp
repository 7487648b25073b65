// GET /health: the service answers. It says nothing of models: see deployments.
#include "appliance/hearthd/endpoints/endpoints.h"

namespace hearth {
namespace {
struct Health {
  std::string status = "ok", version = HEARTH_VERSION;
  int n_ready = 0;
  static constexpr auto kFields = std::tuple{
      field("status", &Health::status, "ok"),
      field("version", &Health::version, "Hearth's version"),
      field("n_ready", &Health::n_ready, "models that answer now"),
  };
};
}  // namespace

void add_health(Endpoints& table, Service& service) {
  table.push_back(endpoint<Health>("GET", "/health", "Whether the service answers", [&](http::Request&) -> Result<Health> {
    Health out;
    for (const api::Deployment& d : service.deployments.list()) out.n_ready += d.state == "ready";
    return out;
  }));
  table.back().options.quick = true;
}

}  // namespace hearth
