// Which parameters a mesh axis cuts: by the names of their axes in the family's table.
#pragma once

#include "runtime/architectures/model_graphs.h"
#include "runtime/graph/shard.h"

namespace hearth {

// The axes that tensor parallelism cuts.
std::vector<std::string> tensor_parallel_axes();

// Every parameter that has one of `axes`, the first in their order, is cut there in n, at whole heads and whole blocks
// of its dtype; where there are fewer key heads, experts, ... than parts, it stays whole.
LeafShardings cut_parameters(const std::vector<ParameterSpec>& parameters, const DtypeOf& dtype_of,
                             const std::vector<std::string>& axes, int n);

}  // namespace hearth
