// /hearth/v1/deployments: which models run.
#include "appliance/hearthd/endpoints/endpoints.h"
#include "appliance/hearthd/endpoints/lists.h"

namespace hearth {

void add_deployments(Endpoints& table, Service& service) {
  table.push_back(endpoint<DeploymentList>(
      "GET", "/hearth/v1/deployments", "What is deployed, and how it is",
      [&](http::Request&) -> Result<DeploymentList> { return DeploymentList{service.deployments.list()}; }));
  table.back().options.quick = true;
  table.push_back(endpoint_with_body<api::DeployRequest, api::Deployment>(
      "POST", "/hearth/v1/deployments", "Deploy a model; follow with events",
      [&](http::Request&, const api::DeployRequest& request) { return service.deploy(request); }, 202));
  table.push_back(endpoint<Nothing>("DELETE", "/hearth/v1/deployments/{model}", "Stop serving a model",
                                    [&](http::Request& r) -> Result<Nothing> {
                                      TRY(service.undeploy(r.params["model"], r.stop));
                                      return Nothing();
                                    }));
}

}  // namespace hearth
