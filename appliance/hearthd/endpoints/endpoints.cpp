// All endpoints, in order.
#include "appliance/hearthd/endpoints/endpoints.h"

namespace hearth {

Endpoints all_endpoints(Service& service) {
  Endpoints table;
  add_box(table, service);
  add_hardware(table, service);
  add_models(table, service);
  add_packs(table, service);
  add_store(table, service);
  add_deployments(table, service);
  add_datasets(table, service);
  add_presets(table, service);
  add_jobs(table, service);
  add_events(table, service);
  add_openai(table, service);
  add_health(table, service);
  add_metrics(table, service);
  add_openapi(table);
  return table;
}

http::Router make_router(Endpoints endpoints) {
  http::Router router;
  for (Endpoint& e : endpoints) router.add(e.method, e.path, std::move(e.handler), e.options);
  return router;
}

}  // namespace hearth
