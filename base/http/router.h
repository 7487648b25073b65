// Routes: method and path pattern ("/models/{name}") to a handler. No sockets here, so tests call handlers directly.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/http/message.h"

namespace hearth::http {

// Runs on a worker thread and may block. An Error becomes error_response().
using Handler = std::function<Result<Response>(Request&)>;

struct RouteOptions {
  uint64_t max_body_bytes = uint64_t{1} << 20;  // larger bodies are refused with 413
  bool body_to_file = false;                    // for uploads: the body goes to Request::body_file
  std::chrono::seconds time_limit{120};         // until the handler returns; a stream may go on longer
  bool quick = false;  // never waits: has workers of its own, so it answers when all others are busy
};

struct Route {
  std::string method, pattern;
  Handler handler;
  RouteOptions options;
  std::vector<std::string> segments;  // of the pattern
};

class Router {
 public:
  void add(std::string_view method, std::string_view pattern, Handler handler, RouteOptions options = {});

  struct Match {
    const Route* route = nullptr;  // null: see allowed
    std::map<std::string, std::string> params;
    std::string allowed;  // methods that the path has, "GET, POST"; empty: no such path
  };
  // `raw_path` is still percent-encoded, so that an encoded slash stays inside its segment.
  Match match(std::string_view method, std::string_view raw_path) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace hearth::http
