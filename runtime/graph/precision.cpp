// precision: where activations are bf16, and where they have to be f32, is what each op says of itself.
#include <algorithm>
#include <map>

#include "runtime/graph/rebuild.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/cast/cast.h"
#include "runtime/ops/gather_rows/gather_rows.h"

namespace hearth {
namespace {

class Precision {
 public:
  Precision(const Graph& graph, Dtype activations) : graph_(graph), activations_(activations), rebuild_(graph) {}

  Result<Graph> run() {
    for (const Node& node : graph_.nodes())
      if (const auto* gather = dynamic_cast<const GatherRows*>(node.op.get()))
        TRY(begin(node, *gather));
      else
        TRY(visit(node));
    for (Value v : graph_.outputs())
      if (v) rebuild_.map(v, TRY(as(rebuild_.mapped(v), graph_.type(v).dtype, "output")));
    return rebuild_.finish();
  }

 private:
  // Rows of a table are where activations come from; it may hold some itself.
  Result<void> begin(const Node& node, const GatherRows& gather) {
    const Node like{std::make_shared<GatherRows>(gather.row_begin, activations_), {}, {}, node.scope};
    const std::vector<Value> inputs{rebuild_.mapped(node.inputs[0]), rebuild_.mapped(node.inputs[1])};
    rebuild_.map(node.outputs[0], TRY(rebuild_.add(like, inputs))[0]);
    return {};
  }

  Result<void> visit(const Node& node) {
    std::vector<TensorType> types;
    for (Value v : node.inputs) types.push_back(graph_.type(v));
    const std::vector<int> activations = node.op->activations(types);
    std::vector<Value> inputs;
    for (size_t i = 0; i < types.size(); ++i) {
      const bool is_activation = std::ranges::find(activations, static_cast<int>(i)) != activations.end();
      const Dtype wanted = is_activation && types[i].dtype == Dtype::f32 ? activations_ : types[i].dtype;
      inputs.push_back(TRY(as(rebuild_.mapped(node.inputs[i]), wanted, node.scope)));
    }
    const std::vector<Value> outputs = TRY(rebuild_.add(node, std::move(inputs)));
    for (size_t i = 0; i < outputs.size(); ++i) rebuild_.map(node.outputs[i], outputs[i]);
    return {};
  }

  // One cast of a value for all that read it so.
  Result<Value> as(Value v, Dtype dtype, const std::string& scope) {
    if (rebuild_.graph().type(v).dtype == dtype) return v;
    Value& cast = casts_[v.id];
    if (!cast) cast = TRY(rebuild_.add({std::make_shared<Cast>(dtype), {}, {}, scope}, {v}))[0];
    return cast;
  }

  const Graph& graph_;
  const Dtype activations_;
  Rebuild rebuild_;
  std::map<int, Value> casts_;  // by the value in the new graph: there are two dtypes
};

}  // namespace

Result<Graph> precision(const Graph& graph, Dtype activations) {
  if (activations == Dtype::f32) return graph;
  if (activations != Dtype::bf16)
    return error(Code::invalid_argument, "precision: activations are f32 or bf16, not {}",
                 dtype_info(activations).name);
  return Precision(graph, activations).run();
}

}  // namespace hearth
