// Rewrites: functions from graphs to graphs. Each fits on a few pages; none knows a model.
#pragma once

#include <span>

#include "runtime/graph/graph.h"

namespace hearth {

struct Differentiated {
  Graph graph;               // the forward graph, its outputs kept, with the backward nodes appended
  std::vector<Value> grads;  // one per wrt, also appended to the graph's outputs in that order; null where none flows
};
// Reverse mode. loss must be f32[1]; its gradient is a new input "dloss" f32[1] (1 for the plain gradient). Values keep
// their ids, so handles into the forward graph stay valid. unimplemented when an op on the path has no gradient.
Result<Differentiated> differentiate(const Graph& forward, Value loss, std::span<const Value> wrt);

// Trades compute for memory in a differentiated graph: computed forward values that backward nodes use are recomputed
// from the `keep` values (and leaves) just before their first use in backward, instead of being held. n_forward: nodes
// before backward.
Result<Graph> recompute(const Graph& graph, size_t n_forward_nodes, std::span<const Value> keep);

// For serving: products of activations with weights of less than 8 bits that are whole numbers read q8_0 activations,
// made by one `quantise` node for all the products that share them. Results move by less than 1 % of their size.
// Backward does not read quantised activations: after differentiate, or not at all.
Result<Graph> quantise_activations(const Graph& graph);

}  // namespace hearth
