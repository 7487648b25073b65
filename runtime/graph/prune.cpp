// prune: from the last node to the first, what somebody reads stays.
#include <algorithm>

#include "runtime/graph/rebuild.h"
#include "runtime/graph/rewrites.h"

namespace hearth {

Result<Graph> prune(const Graph& graph) {
  std::vector<bool> is_read(graph.values().size(), false), stays(graph.nodes().size(), false);
  for (Value v : graph.outputs())
    if (v) is_read[static_cast<size_t>(v.id)] = true;
  for (size_t i = graph.nodes().size(); i-- > 0;) {
    const Node& node = graph.nodes()[i];
    stays[i] = writes_state(node) || std::any_of(node.outputs.begin(), node.outputs.end(),
                                                 [&](Value v) { return is_read[static_cast<size_t>(v.id)]; });
    for (Value v : node.inputs)
      if (stays[i]) is_read[static_cast<size_t>(v.id)] = true;
  }
  Rebuild rebuild(graph);
  for (size_t i = 0; i < graph.nodes().size(); ++i)
    if (stays[i]) TRY(rebuild.copy(graph.nodes()[i]));
  return rebuild.finish();
}

}  // namespace hearth
