// The plainest way to run a graph: every op's reference, in order, each value in its own memory. The oracle for the
// executor.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/graph/graph.h"

namespace hearth {

// Runs the graph on named inputs, parameters and states (states are written in place). not_found names a missing
// binding. Outputs in the graph's order; a null output is an empty tensor.
Result<std::vector<Tensor>> interpret(const Graph& graph,
                                      const std::map<std::string, TensorView, std::less<>>& bindings);

}  // namespace hearth
