// All parts of a sharded graph as threads of this process, one thread each: what tests compare with the whole.
#pragma once

#include "runtime/exec/executor.h"
#include "runtime/graph/shard.h"

namespace hearth {

// What each part is given by name: parts of parameters, states (written in place) and inputs. The outputs of each part,
// in the graph's order; a null output is an empty tensor. The first error of any part.
Result<std::vector<std::vector<Tensor>>> run_parts(const Graph& graph, const Propagation& propagation,
                                                   const std::vector<Bindings>& leaves);

}  // namespace hearth
