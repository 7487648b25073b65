// Which parameters are in a device's memory, and which stay in the host's because they do not fit.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "runtime/plan/plan.h"

namespace hearth {

struct Residency {
  std::set<std::string> fetched;  // these stay on the host and are fetched in every run: what offload() is given
  int64_t parameter_bytes = 0, fetched_bytes = 0;
  std::string words() const;  // "1200 MiB of 3400 MiB of the weights stay ..."; empty: all are on the device
};

// As many parameters as the device has room for, beside what the graph needs to run: its states, and the arena of its
// plan, in which fetched ones come and go. The graph is the one that needs the most memory of those that will run;
// available_bytes is what is free for all of that, 0 where nobody knows. All parameters, where the device works on the
// host's memory. resource_exhausted: there is no room even with every matrix on the host, and how much it takes.
Result<Residency> fit_residency(const Graph& graph, const Backend& backend, int64_t available_bytes);

}  // namespace hearth
