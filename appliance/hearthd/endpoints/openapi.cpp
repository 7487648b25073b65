// GET /hearth/v1/openapi.json: made from the table of endpoints and the described types.
#include "appliance/hearthd/endpoints/endpoints.h"

namespace hearth {
namespace {

Json error_schema() {
  Json text = {{"type", "string"}};
  Json fields = {{"message", text}, {"type", text}, {"param", {{"type", Json::array({"string", "null"})}}}, {"code", text}};
  return {{"type", "object"}, {"properties", {{"error", {{"type", "object"}, {"properties", fields}}}}}};
}

Json path_parameters(const std::string& path) {
  Json out = Json::array();
  for (size_t open = path.find('{'); open != std::string::npos; open = path.find('{', open + 1)) {
    std::string name = path.substr(open + 1, path.find('}', open) - open - 1);
    out.push_back({{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
  }
  return out;
}

Json describe(const Endpoint& e) {
  Json content = e.response_schema.is_null() ? Json{{e.response_type, Json::object()}} : Json{{e.response_type, {{"schema", e.response_schema}}}};
  Json responses;
  responses[std::to_string(e.status)] = {{"description", "done"}, {"content", std::move(content)}};
  responses["default"] = {{"description", "an error"}, {"content", {{"application/json", {{"schema", error_schema()}}}}}};
  Json out = {{"summary", e.summary}, {"responses", std::move(responses)}};
  if (Json parameters = path_parameters(e.path); !parameters.empty()) out["parameters"] = std::move(parameters);
  if (!e.request_schema.is_null()) {
    const char* type = e.options.body_to_file ? "application/octet-stream" : "application/json";
    out["requestBody"] = {{"required", true}, {"content", {{type, {{"schema", e.request_schema}}}}}};
  }
  return out;
}

}  // namespace

Json openapi_document(const Endpoints& endpoints) {
  Json paths = Json::object();
  for (const Endpoint& e : endpoints) {
    std::string method = e.method;
    for (char& c : method) c = static_cast<char>(c | 0x20);
    paths[e.path][method] = describe(e);
  }
  return {{"openapi", "3.1.0"}, {"info", {{"title", "Hearth"}, {"version", HEARTH_VERSION}}}, {"paths", std::move(paths)}};
}

void add_openapi(Endpoints& table) {
  Endpoint self{.method = "GET",
                .path = "/hearth/v1/openapi.json",
                .summary = "This document",
                .response_schema = Json{{"type", "object"}}};
  table.push_back(self);
  std::string text = dump_json(openapi_document(table));
  table.back().handler = [text = std::move(text)](http::Request&) -> Result<http::Response> { return http::text_response(text, "application/json"); };
}

}  // namespace hearth
