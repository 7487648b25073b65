// For rewrites: copies a graph node by node while values are mapped to new ones.
#pragma once

#include "runtime/graph/graph.h"

namespace hearth {

class Rebuild {
 public:
  // Copies all leaves of `source` but `left_out`; nodes are copied on request.
  explicit Rebuild(const Graph& source, Value left_out = {});
  Result<void> copy(const Node& node);  // its outputs are mapped; an error where it reads what was left out
  Result<std::vector<Value>> add(const Node& like, std::vector<Value> new_inputs);  // not mapped
  Value mapped(Value old) const { return map_[static_cast<size_t>(old.id)]; }
  void map(Value old, Value to) { map_[static_cast<size_t>(old.id)] = to; }
  Graph& graph() { return graph_; }
  Graph finish();  // outputs and marks mapped

 private:
  const Graph& source_;
  Graph graph_;
  std::vector<Value> map_;
};

}  // namespace hearth
