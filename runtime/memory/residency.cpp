// See residency.h. What an arena takes depends on what is fetched, and is known from a plan alone: so the room for
// parameters is found by halving.
#include "runtime/memory/residency.h"

#include "runtime/graph/rewrites.h"

namespace hearth {
namespace {

constexpr int kHalvings = 8;  // to within a 256th of the parameters

double mib(int64_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

int64_t parameter_bytes(const Graph& graph) {
  int64_t bytes = 0;
  for (const ValueInfo& info : graph.values())
    if (info.kind == ValueKind::parameter) bytes += info.type.bytes();
  return bytes;
}

Result<int64_t> device_bytes(const Graph& graph, const Backend& backend, const std::set<std::string>& fetched) {
  const Plan plan = TRY(make_plan(TRY(offload(graph, fetched)), backend));
  return plan.bytes[static_cast<size_t>(Tier::device)];
}

Residency residency_of(const Graph& graph, std::set<std::string> fetched) {
  Residency out{std::move(fetched), parameter_bytes(graph), 0};
  for (const std::string& name : out.fetched) out.fetched_bytes += graph.type(graph.find(name)).bytes();
  return out;
}

}  // namespace

std::string Residency::words() const {
  if (fetched.empty()) return "";
  return fmt::format("{:.1f} of {:.1f} MiB of the weights stay in the host's memory, and are copied in every step",
                     mib(fetched_bytes), mib(parameter_bytes));
}

Result<Residency> fit_residency(const Graph& graph, const Backend& backend, int64_t available_bytes) {
  Residency all = residency_of(graph, {});
  if (backend.is_host_memory() || available_bytes <= 0) return all;
  if (TRY(device_bytes(graph, backend, {})) <= available_bytes) return all;
  std::set<std::string> best = choose_streamed(graph, 0);
  if (const int64_t least = TRY(device_bytes(graph, backend, best)); least > available_bytes)
    return error(Code::resource_exhausted,
                 "{} has {:.1f} MiB free, and with all matrices in the host's memory this model still takes {:.1f} MiB "
                 "there: choose a shorter context or fewer conversations",
                 backend.name(), mib(available_bytes), mib(least));
  int64_t fits = 0, does_not = all.parameter_bytes;
  for (int i = 0; i < kHalvings; ++i) {
    const int64_t room = fits + (does_not - fits) / 2;
    std::set<std::string> fetched = choose_streamed(graph, room);
    const bool is_enough = TRY(device_bytes(graph, backend, fetched)) <= available_bytes;
    (is_enough ? fits : does_not) = room;
    if (is_enough) best = std::move(fetched);
  }
  return residency_of(graph, std::move(best));
}

}  // namespace hearth
