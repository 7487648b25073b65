// Recomputation as a rewrite. Forward values that backward reads are produced again, from kept values, just before that
// use; a value is recomputed at most once. Because backward runs from the last layer to the first, only one layer's
// activations are alive at a time when the layer inputs are kept (Chen et al. 2016, "Training Deep Nets with Sublinear
// Memory Cost").
#include "base/check.h"
#include "runtime/graph/rebuild.h"
#include "runtime/graph/rewrites.h"

namespace hearth {
namespace {

class Recompute {
 public:
  Recompute(const Graph& graph, size_t n_forward, std::span<const Value> keep)
      : graph_(graph),
        n_forward_(n_forward),
        rebuild_(graph),
        kept_(graph.values().size(), false),
        again_(graph.values().size()) {
    for (Value v : keep) kept_[static_cast<size_t>(v.id)] = true;
    for (Value v : graph.outputs())
      if (v) kept_[static_cast<size_t>(v.id)] = true;
  }

  Result<Graph> run() {
    const auto& nodes = graph_.nodes();
    for (size_t i = 0; i < n_forward_; ++i) TRY(rebuild_.copy(nodes[i]));
    for (size_t i = n_forward_; i < nodes.size(); ++i) {
      std::vector<Value> inputs;
      for (Value v : nodes[i].inputs) inputs.push_back(TRY(in_backward(v)));
      const std::vector<Value> outputs = TRY(rebuild_.add(nodes[i], std::move(inputs)));
      for (size_t k = 0; k < outputs.size(); ++k) rebuild_.map(nodes[i].outputs[k], outputs[k]);
    }
    return rebuild_.finish();
  }

 private:
  bool is_forward(Value v) const {
    const int node = graph_.info(v).node;
    return node >= 0 && static_cast<size_t>(node) < n_forward_;
  }

  // The value that backward reads in place of v.
  Result<Value> in_backward(Value v) {
    const auto id = static_cast<size_t>(v.id);
    if (!is_forward(v) || kept_[id]) return rebuild_.mapped(v);
    if (again_[id]) return again_[id];
    const Node& producer = graph_.nodes()[static_cast<size_t>(graph_.info(v).node)];
    if (writes_state(producer))
      return error(Code::invalid_argument, "recompute: {} writes to a state and cannot run twice", producer.op->name());
    std::vector<Value> inputs;
    for (Value input : producer.inputs) inputs.push_back(TRY(in_backward(input)));
    const std::vector<Value> outputs = TRY(rebuild_.add(producer, std::move(inputs)));
    for (size_t k = 0; k < outputs.size(); ++k) again_[static_cast<size_t>(producer.outputs[k].id)] = outputs[k];
    return again_[id];
  }

  const Graph& graph_;
  size_t n_forward_;
  Rebuild rebuild_;
  std::vector<bool> kept_;
  std::vector<Value> again_;
};

}  // namespace

Result<Graph> recompute(const Graph& graph, size_t n_forward_nodes, std::span<const Value> keep) {
  CHECK(n_forward_nodes <= graph.nodes().size());
  return Recompute(graph, n_forward_nodes, keep).run();
}

}  // namespace hearth
