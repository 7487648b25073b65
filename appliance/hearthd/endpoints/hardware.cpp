// GET /hearth/v1/hardware: hwdetect's HardwareProfile document.
#include "appliance/hearthd/endpoints/endpoints.h"

namespace hearth {

void add_hardware(Endpoints& table, Service& service) {
  table.push_back({.method = "GET",
                   .path = "/hearth/v1/hardware",
                   .summary = "Everything known of the hardware: what was read and what was measured",
                   .response_schema = Json{{"type", "object"}},
                   .handler = [&](http::Request&) -> Result<http::Response> { return http::json_response(TRY(service.hardware.document())); }});
}

}  // namespace hearth
