// An endpoint: method, path, what goes in and out, and what to do. The table of all endpoints makes the router and the
// OpenAPI document, so the two cannot disagree. JSON ends here: what is called gets and gives the API's types.
#pragma once

#include "appliance/api/types.h"
#include "base/http/router.h"

namespace hearth {

struct Endpoint {
  std::string method, path, summary;
  Json request_schema;   // null: no body
  Json response_schema;  // null: not JSON
  std::string response_type = "application/json";
  http::Handler handler;
  http::RouteOptions options;
  int status = 200;
};

using Endpoints = std::vector<Endpoint>;

struct Nothing {  // {}
  static constexpr auto kFields = std::tuple<>();
};

// f: (http::Request&) → Result<Out>
template <class Out, class F>
Endpoint endpoint(std::string_view method, std::string_view path, std::string_view summary, F f, int status = 200) {
  return {.method = std::string(method),
          .path = std::string(path),
          .summary = std::string(summary),
          .response_schema = schema_of<Out>(),
          .handler = [f = std::move(f), status](http::Request& request) -> Result<http::Response> {
            Out out = TRY(f(request));
            return http::json_response(to_json_value(out), status);
          },
          .status = status};
}

// f: (http::Request&, const In&) → Result<Out>
template <class In, class Out, class F>
Endpoint endpoint_with_body(std::string_view method, std::string_view path, std::string_view summary, F f, int status = 200) {
  Endpoint out = endpoint<Out>(
      method, path, summary,
      [f = std::move(f)](http::Request& request) -> Result<Out> { return f(request, TRY(from_json<In>(TRY(http::json_body(request))))); },
      status);
  out.request_schema = schema_of<In>();
  return out;
}

}  // namespace hearth
