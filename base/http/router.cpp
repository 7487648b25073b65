// Routes are matched segment by segment, in the order in which they were added.
#include "base/http/router.h"

#include "base/check.h"

namespace hearth::http {

static std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    std::string_view segment = path.substr(0, path.find('/'));
    out.emplace_back(segment);
    path.remove_prefix(segment.size());
  }
  return out;
}

static bool is_param(std::string_view segment) { return segment.size() > 2 && segment.front() == '{' && segment.back() == '}'; }

void Router::add(std::string_view method, std::string_view pattern, Handler handler, RouteOptions options) {
  CHECK(!pattern.empty() && pattern.front() == '/');
  routes_.push_back({std::string(method), std::string(pattern), std::move(handler), options, split_path(pattern)});
}

Router::Match Router::match(std::string_view method, std::string_view raw_path) const {
  Match out;
  if (raw_path.empty() || raw_path.front() != '/') return out;
  std::vector<std::string> segments = split_path(raw_path);
  for (const Route& route : routes_) {
    if (route.segments.size() != segments.size()) continue;
    std::map<std::string, std::string> params;
    bool same = true;
    for (size_t i = 0; same && i < segments.size(); ++i) {
      const std::string& wanted = route.segments[i];
      if (is_param(wanted)) {
        params[wanted.substr(1, wanted.size() - 2)] = percent_decode(segments[i]);
      } else {
        same = wanted == percent_decode(segments[i]);
      }
    }
    if (!same) continue;
    if (route.method == method) return {&route, std::move(params), {}};
    out.allowed += (out.allowed.empty() ? "" : ", ") + route.method;
  }
  return out;
}

}  // namespace hearth::http
