// A plan: a graph lowered to a flat list of steps on places: kernel calls and copies, each on a lane. Made once per
// shape class, run many times.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "runtime/backend/backend.h"
#include "runtime/graph/graph.h"

namespace hearth {

// Whose memory bytes are in. A device that works on the host's memory has one: its own.
enum class Tier : uint8_t { device, host };
inline constexpr size_t kTiers = 2;

// Where the bytes of a value are.
struct ValuePlace {
  enum class Where : uint8_t { arena, bound } where = Where::arena;
  Tier tier = Tier::device;  // host: a parameter that is fetched
  int64_t offset = 0;        // in the arena
  int root = -1;             // the value whose bytes this is: itself, or what a chain of views and versions began with
};

struct PlanStep {
  int node = 0;
  Kernel kernel;  // run == nullptr: the reference runs, on the host
  int64_t scratch_offset = 0;
  Cost cost;
  Lane lane = Lane::compute;
  bool waits = false;  // within its lane, see Call::waits
  int waits_for = -1;  // the step of the other lane, see Call::waits_for
};

// Inputs, outputs and computed values live in one arena, re-used as soon as liveness allows (a split or merge of axes
// shares its input's bytes and has no step); parameters and states are bound by the caller. Inputs and outputs stay
// valid until the next run.
struct Plan {
  Graph graph;
  std::vector<PlanStep> steps;
  std::vector<ValuePlace> places;  // by value id
  int64_t arena_bytes = 0;
  std::array<int64_t, kTiers> bytes{};  // by tier: the arena, and all parameters and states of the graph
  Cost cost;
};

// Chooses the backend's kernels and places buffers; the plan does not keep the backend. invalid_argument when an op
// would write to a value that is not a state, or something else than a fetch reads what stays on the host;
// unimplemented names an op that has no kernel there, where no host can help out.
Result<Plan> make_plan(Graph graph, const Backend& backend);

// Whether the backend has a kernel for every op of the graph.
bool has_all_kernels(const Graph& graph, const Backend& backend);

}  // namespace hearth
