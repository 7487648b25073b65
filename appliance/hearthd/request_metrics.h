// Counters of answered requests, for /metrics. Any thread; record() never blocks for long.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

namespace hearth {

class RequestMetrics {
 public:
  void record(const std::string& method, const std::string& route, int status, double seconds);
  std::string prometheus_text() const;

 private:
  struct Sum {
    uint64_t count = 0;
    double seconds = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, int>, Sum> sums_;
};

}  // namespace hearth
