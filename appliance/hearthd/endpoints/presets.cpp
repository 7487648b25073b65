// GET /hearth/v1/presets: ready-made recipes.
#include "appliance/hearthd/endpoints/endpoints.h"
#include "appliance/hearthd/endpoints/lists.h"
#include "appliance/hearthd/jobs/train_request.h"

namespace hearth {

void add_presets(Endpoints& table, Service&) {
  table.push_back(endpoint<PresetList>("GET", "/hearth/v1/presets", "Ready-made ways to train",
                                       [](http::Request&) -> Result<PresetList> { return PresetList{list_presets()}; }));
}

}  // namespace hearth
