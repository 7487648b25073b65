// /hearth/v1/store: the disk that models take, and what can be freed of it.
#include "appliance/hearthd/endpoints/endpoints.h"

namespace hearth {

void add_store(Endpoints& table, Service& service) {
  table.push_back(endpoint<api::DiskUse>("GET", "/hearth/v1/store", "How much of the disk the models take",
                                         [&](http::Request&) -> Result<api::DiskUse> {
                                           const store::DiskUse use = TRY(service.store().disk_use());
                                           return api::DiskUse{.models_bytes = use.blobs_bytes - use.reclaimable_bytes,
                                                               .reclaimable_bytes = use.reclaimable_bytes,
                                                               .free_bytes = use.free_bytes,
                                                               .n_files = use.n_blobs};
                                         }));
  table.push_back(endpoint<api::Freed>(
      "POST", "/hearth/v1/store/free", "Delete files that no model uses",
      [&](http::Request&) -> Result<api::Freed> { return api::Freed{.freed_bytes = TRY(service.collect_garbage())}; }));
}

}  // namespace hearth
