// layouts: asks every reader of a parameter how it wants it to lie.
#include <optional>
#include <vector>

#include "runtime/backend/kernel_table.h"
#include "runtime/graph/rewrites.h"

namespace hearth {
namespace {

// What all readers so far want; nothing: nobody read it yet.
using Wish = std::optional<Layout>;

void ask(const Graph& graph, const Node& node, const KernelTable& kernels, std::vector<Wish>& wishes) {
  std::vector<TensorType> types;
  for (Value v : node.inputs) types.push_back(graph.type(v));
  for (size_t i = 0; i < types.size(); ++i) {
    const Value v = node.inputs[i];
    if (graph.info(v).kind != ValueKind::parameter) continue;
    const Layout wanted = kernels.layout_for(*node.op, types, static_cast<int>(i));
    Wish& wish = wishes[static_cast<size_t>(v.id)];
    wish = wish.value_or(wanted) == wanted ? wanted : Layout::row_major;
  }
}

}  // namespace

Graph layouts(const Graph& graph, const KernelTable& kernels) {
  std::vector<Wish> wishes(graph.values().size());
  for (const Node& node : graph.nodes()) ask(graph, node, kernels, wishes);
  for (Value v : graph.outputs())
    if (v) wishes[static_cast<size_t>(v.id)] = Layout::row_major;
  Graph out = graph;
  for (size_t id = 0; id < wishes.size(); ++id)
    if (wishes[id].value_or(Layout::row_major) != Layout::row_major) out.lay_out({static_cast<int>(id)}, *wishes[id]);
  return out;
}

}  // namespace hearth
