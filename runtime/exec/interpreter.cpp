// The reference interpreter.
#include "runtime/exec/interpreter.h"

#include <cstring>

namespace hearth {

Result<std::vector<Tensor>> interpret(const Graph& graph,
                                      const std::map<std::string, TensorView, std::less<>>& bindings) {
  std::vector<Tensor> owned(graph.values().size());
  std::vector<TensorView> views(graph.values().size());
  for (size_t i = 0; i < views.size(); ++i) {
    const ValueInfo& info = graph.values()[i];
    if (info.kind == ValueKind::computed) {
      owned[i] = Tensor(info.type);
      views[i] = owned[i].view();
      continue;
    }
    auto bound = bindings.find(info.name);
    if (bound == bindings.end()) return error(Code::not_found, "interpret: nothing is bound to \"{}\"", info.name);
    if (!(bound->second.type == info.type))
      return error(Code::invalid_argument, "interpret: \"{}\" must be {}, got {}", info.name, info.type.to_string(),
                   bound->second.type.to_string());
    views[i] = bound->second;
  }
  for (const Node& node : graph.nodes()) {
    for (size_t i = 0; i < node.outputs.size(); ++i)  // a state's next version is written over it
      if (const int from = node.op->version_of(static_cast<int>(i)); from >= 0)
        views[static_cast<size_t>(node.outputs[i].id)] =
            views[static_cast<size_t>(node.inputs[static_cast<size_t>(from)].id)];
    std::vector<TensorView> in, out;
    for (Value v : node.inputs) in.push_back(views[static_cast<size_t>(v.id)]);
    for (Value v : node.outputs) out.push_back(views[static_cast<size_t>(v.id)]);
    run_reference(*node.op, in, out);
  }
  std::vector<Tensor> outputs;
  for (Value v : graph.outputs()) {
    Tensor copy;
    if (v) {
      copy = Tensor(graph.type(v));
      std::memcpy(copy.view().data, views[static_cast<size_t>(v.id)].data, static_cast<size_t>(graph.type(v).bytes()));
    }
    outputs.push_back(std::move(copy));
  }
  return outputs;
}

}  // namespace hearth
