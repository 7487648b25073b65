// Drops nodes whose results nobody uses. Nodes that write to a state stay.
#include "runtime/graph/rebuild.h"
#include "runtime/graph/rewrites.h"

#include "base/check.h"

namespace hearth {

Graph prune(const Graph& graph) {
  std::vector<bool> used(graph.values().size(), false);
  for (Value v : graph.outputs())
    if (v) used[static_cast<size_t>(v.id)] = true;
  std::vector<bool> live(graph.nodes().size(), false);
  for (size_t i = graph.nodes().size(); i-- > 0;) {
    const Node& node = graph.nodes()[i];
    live[i] = !node.op->mutated_inputs().empty();
    for (Value v : node.outputs) live[i] = live[i] || used[static_cast<size_t>(v.id)];
    if (live[i])
      for (Value v : node.inputs) used[static_cast<size_t>(v.id)] = true;
  }
  Rebuild rebuild(graph);
  for (size_t i = 0; i < graph.nodes().size(); ++i)
    if (live[i]) CHECK(rebuild.copy(graph.nodes()[i]));  // the same ops on the same types cannot fail
  return rebuild.finish();
}

}  // namespace hearth
