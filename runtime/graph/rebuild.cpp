// Rebuild: the copy that every rewrite starts from.
#include "runtime/graph/rebuild.h"

#include "base/check.h"

namespace hearth {

Rebuild::Rebuild(const Graph& source, Value left_out) : source_(source), map_(source.values().size()) {
  for (size_t i = 0; i < source.values().size(); ++i) {
    const ValueInfo& info = source.values()[i];
    if (info.kind != ValueKind::computed && Value{static_cast<int>(i)} != left_out)
      map_[i] = graph_.add_leaf(info.kind, info.name, info.type, info.state_kind);
  }
}

Result<std::vector<Value>> Rebuild::add(const Node& like, std::vector<Value> new_inputs) {
  return graph_.add_node(like.op, std::move(new_inputs), like.scope);
}

Result<void> Rebuild::copy(const Node& node) {
  std::vector<Value> inputs;
  for (Value v : node.inputs) {
    if (!mapped(v)) {
      const std::string& name = source_.info(v).name;
      return error(Code::unimplemented, "{} in {} reads {}, which this rewrite leaves out", node.op->name(), node.scope,
                   name.empty() ? "an output" : name);
    }
    inputs.push_back(mapped(v));
  }
  const std::vector<Value> outputs = TRY(add(node, std::move(inputs)));
  for (size_t i = 0; i < outputs.size(); ++i) map(node.outputs[i], outputs[i]);
  return {};
}

Graph Rebuild::finish() {
  std::vector<Value> outputs;
  for (Value v : source_.outputs()) outputs.push_back(v ? mapped(v) : Value());
  graph_.set_outputs(std::move(outputs));
  for (const Mark& mark : source_.marks())
    if (mapped(mark.value)) graph_.mark(mark.name, mapped(mark.value));
  return std::move(graph_);
}

}  // namespace hearth
