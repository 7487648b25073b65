// /hearth/v1/packs: sticks and folders with packs; installing from them and exporting to them.
#include "appliance/hearthd/endpoints/endpoints.h"
#include "appliance/hearthd/endpoints/lists.h"
#include "appliance/hearthd/endpoints/named_path.h"

namespace hearth {

void add_packs(Endpoints& table, Service& service) {
  table.push_back(endpoint<PackSourceList>("GET", "/hearth/v1/packs/sources", "Sticks and folders that hold packs now",
                                           [&](http::Request&) -> Result<PackSourceList> {
                                             return PackSourceList{
                                                 packs_on_media(service.store(), service.sources.roots)};
                                           }));
  table.push_back(endpoint_with_body<api::ScanRequest, api::PackSource>(
      "POST", "/hearth/v1/packs/scan", "Look for packs in a folder",
      [&](http::Request& http_request, const api::ScanRequest& request) -> Result<api::PackSource> {
        TRY(check_may_name(http_request, service, request.path));
        return look_for_packs(service.store(), request.path, service.sources.roots);
      }));
  table.push_back(endpoint_with_body<api::InstallRequest, api::Job>(
      "POST", "/hearth/v1/packs/install", "Install a pack",
      [&](http::Request& http_request, const api::InstallRequest& request) -> Result<api::Job> {
        TRY(check_may_name(http_request, service, request.path));
        return service.jobs.install(request);
      },
      202));
  table.push_back(endpoint_with_body<api::ExportRequest, api::Job>(
      "POST", "/hearth/v1/packs/export", "Write a model as a pack",
      [&](http::Request& http_request, const api::ExportRequest& request) -> Result<api::Job> {
        TRY(check_may_name(http_request, service, request.path));
        return service.export_pack(request);
      },
      202));
}

}  // namespace hearth
