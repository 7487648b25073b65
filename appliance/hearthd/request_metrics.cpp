// Routes are patterns, so the number of series is bounded by the API, not by what clients ask.
#include "appliance/hearthd/request_metrics.h"

#include <fmt/format.h>

namespace hearth {

void RequestMetrics::record(const std::string& method, const std::string& route, int status, double seconds) {
  std::lock_guard lock(mutex_);
  Sum& sum = sums_[{route.empty() ? "other" : method, route.empty() ? "none" : route, status}];
  ++sum.count;
  sum.seconds += seconds;
}

std::string RequestMetrics::prometheus_text() const {
  std::lock_guard lock(mutex_);
  std::string counts = "# HELP hearth_http_requests_total Requests answered.\n# TYPE hearth_http_requests_total counter\n";
  std::string seconds = "# HELP hearth_http_request_seconds_total Time spent on them.\n# TYPE hearth_http_request_seconds_total counter\n";
  for (const auto& [key, sum] : sums_) {
    const auto& [method, route, status] = key;
    std::string labels = fmt::format("{{method=\"{}\",route=\"{}\",status=\"{}\"}}", method, route, status);
    counts += fmt::format("hearth_http_requests_total{} {}\n", labels, sum.count);
    seconds += fmt::format("hearth_http_request_seconds_total{} {:.6f}\n", labels, sum.seconds);
  }
  return counts + seconds;
}

}  // namespace hearth
