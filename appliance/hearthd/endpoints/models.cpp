// /hearth/v1/models: what is in the store.
#include "appliance/hearthd/endpoints/endpoints.h"
#include "appliance/hearthd/endpoints/lists.h"
#include "appliance/hearthd/endpoints/named_path.h"

namespace hearth {

void add_models(Endpoints& table, Service& service) {
  table.push_back(
      endpoint<ModelList>("GET", "/hearth/v1/models", "Models in the store", [&](http::Request&) -> Result<ModelList> {
        ModelList out;
        for (const store::ModelRecord& record : TRY(service.store().list()))
          out.models.push_back(service.describe(record));
        return out;
      }));
  table.push_back(endpoint_with_body<api::ImportRequest, api::Job>(
      "POST", "/hearth/v1/models/import", "Import a model from this box's files",
      [&](http::Request& http_request, const api::ImportRequest& request) -> Result<api::Job> {
        TRY(check_may_name(http_request, service, request.path));
        return service.jobs.import(request);
      },
      202));
  table.push_back(
      endpoint<api::Model>("GET", "/hearth/v1/models/{name}", "One model", [&](http::Request& r) -> Result<api::Model> {
        return service.describe(TRY(service.store().find(TRY(service.store().resolve(r.params["name"])))));
      }));
  table.push_back(endpoint<Nothing>("DELETE", "/hearth/v1/models/{name}", "Remove a model that is not deployed",
                                    [&](http::Request& r) -> Result<Nothing> {
                                      TRY(service.remove_model(r.params["name"]));
                                      return Nothing();
                                    }));
  table.push_back(endpoint<api::Fit>("GET", "/hearth/v1/models/{name}/fit",
                                     "Whether it fits into this box's memory now",
                                     [&](http::Request& r) { return service.fit(r.params["name"]); }));
}

}  // namespace hearth
