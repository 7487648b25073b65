// select_rows: one gather, where rows no longer mix.
#include "runtime/graph/rebuild.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/gather_rows/gather_rows.h"

namespace hearth {

Result<Graph> select_rows(const Graph& graph, const std::string& input, int n_rows) {
  const std::vector<Value> marked = graph.marked(kRows);
  if (marked.size() != 1 || graph.info(marked[0]).kind != ValueKind::computed)
    return error(Code::invalid_argument, "select_rows: the graph marks {} computed values as \"{}\", one is needed",
                 marked.size(), kRows);
  if (n_rows < 1) return error(Code::invalid_argument, "select_rows: at least one row must be chosen, got {}", n_rows);
  Rebuild rebuild(graph);
  const Value rows = rebuild.graph().add_leaf(ValueKind::input, input, {Dtype::i32, {n_rows}});
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    TRY(rebuild.copy(node));
    if (graph.info(marked[0]).node != static_cast<int>(i)) continue;
    const Node gather{std::make_shared<GatherRows>(0), {}, {}, node.scope};
    rebuild.map(marked[0], TRY(rebuild.add(gather, {rebuild.mapped(marked[0]), rows}))[0]);
  }
  return rebuild.finish();
}

}  // namespace hearth
