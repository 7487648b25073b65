// quantise_activations: the first operand of a product goes through one `quantise` node.
#include <map>

#include "runtime/graph/rebuild.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/grouped_matmul/grouped_matmul.h"
#include "runtime/ops/matmul/matmul.h"
#include "runtime/ops/quantise/quantise.h"

namespace hearth {
namespace {

// Weights of 8 bits are read as they are: rounding the activations too would cost as much as their own rounding did.
bool is_coarse(Dtype dtype) {
  const DtypeInfo& info = dtype_info(dtype);
  return has_integer_levels(dtype) && info.block_bytes < info.block_elements;
}

// A product with rows of weights, of which an integer kernel is to be had.
bool is_integer_product(const Graph& graph, const Node& node) {
  const auto* product = dynamic_cast<const Matmul*>(node.op.get());
  const auto* grouped = dynamic_cast<const GroupedMatmul*>(node.op.get());
  const bool reads_rows =
      (product != nullptr && !product->trans_a && product->trans_b) || (grouped != nullptr && grouped->trans_w);
  return reads_rows && graph.type(node.inputs[0]).dtype == Dtype::f32 && is_coarse(graph.type(node.inputs[1]).dtype);
}

}  // namespace

Result<Graph> quantise_activations(const Graph& graph) {
  Rebuild rebuild(graph);
  std::map<int, Value> quantised;  // by the value in `graph`
  for (const Node& node : graph.nodes()) {
    if (!is_integer_product(graph, node)) {
      TRY(rebuild.copy(node));
      continue;
    }
    const Value x = node.inputs[0];
    if (!quantised.contains(x.id)) {
      const Node quantise{std::make_shared<Quantise>(), {}, {}, node.scope};
      quantised[x.id] = TRY(rebuild.add(quantise, {rebuild.mapped(x)}))[0];
    }
    std::vector<Value> inputs{quantised[x.id]};
    for (size_t i = 1; i < node.inputs.size(); ++i) inputs.push_back(rebuild.mapped(node.inputs[i]));
    rebuild.map(node.outputs[0], TRY(rebuild.add(node, std::move(inputs)))[0]);
  }
  return rebuild.finish();
}

}  // namespace hearth
