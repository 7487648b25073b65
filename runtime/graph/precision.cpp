// precision: where activations are bf16, and where they have to be f32, is what each op says of itself; where they may
// be either, it is what reads them.
#include <algorithm>
#include <map>

#include "runtime/graph/rebuild.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/cast/cast.h"
#include "runtime/ops/gather_rows/gather_rows.h"
#include "runtime/ops/matmul/matmul.h"
#include "runtime/ops/slice_axis/slice_axis.h"

namespace hearth {
namespace {

std::vector<TensorType> types_of(const Graph& graph, const Node& node) {
  std::vector<TensorType> types;
  for (Value v : node.inputs) types.push_back(graph.type(v));
  return types;
}

// Walks from what is read back to what is computed of: a node computes in bf16 where somebody reads what it puts out as
// an activation. What f32 alone is wanted of, logits of a router or gates of a recurrence, is never rounded.
class Readers {
 public:
  explicit Readers(const Graph& graph) : graph_(graph), narrow_(graph.values().size(), false) {
    for (auto node = graph.nodes().rbegin(); node != graph.nodes().rend(); ++node)
      if (takes_bf16(*node))
        for (int i : activations_of(*node)) narrow_[id(node->inputs[static_cast<size_t>(i)])] = true;
  }

  bool wants_bf16(Value v) const { return narrow_[id(v)]; }
  bool want_bf16(const Node& node) const {
    return std::ranges::any_of(node.outputs, [&](Value v) { return wants_bf16(v); });
  }
  // Products do whatever is read of them, and so do ops whose outputs are f32 anyway.
  bool takes_bf16(const Node& node) const { return want_bf16(node) || is_widened(node) || puts_out_f32(node); }
  bool is_widened(const Node& node) const {
    const auto* product = dynamic_cast<const Matmul*>(node.op.get());
    return product != nullptr && !product->trans_a && !want_bf16(node);
  }

 private:
  static size_t id(Value v) { return static_cast<size_t>(v.id); }

  // What rows are chosen of may be either, whatever is put out.
  std::vector<int> activations_of(const Node& node) const {
    const bool chooses_rows = dynamic_cast<const GatherRows*>(node.op.get()) != nullptr;
    return chooses_rows ? std::vector{0} : node.op->activations(types_of(graph_, node));
  }

  bool puts_out_f32(const Node& node) const {
    std::vector<TensorType> types = types_of(graph_, node);
    for (int i : node.op->activations(types)) types[static_cast<size_t>(i)].dtype = Dtype::bf16;
    const auto outputs = node.op->infer(types);
    return outputs && std::ranges::none_of(*outputs, [](const TensorType& t) { return t.dtype == Dtype::bf16; });
  }

  const Graph& graph_;
  std::vector<bool> narrow_;  // by value
};

class Precision {
 public:
  Precision(const Graph& graph, Dtype activations)
      : graph_(graph), readers_(graph), activations_(activations), rebuild_(graph) {}

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
    const Dtype dtype = readers_.want_bf16(node) ? activations_ : Dtype::f32;
    const Node like{std::make_shared<GatherRows>(gather.row_begin, dtype), {}, {}, node.scope};
    const std::vector<Value> inputs{rebuild_.mapped(node.inputs[0]), rebuild_.mapped(node.inputs[1])};
    rebuild_.map(node.outputs[0], TRY(rebuild_.add(like, inputs))[0]);
    return {};
  }

  Result<void> visit(const Node& node) {
    const std::vector<TensorType> types = types_of(graph_, node);
    const std::vector<int> activations = node.op->activations(types);
    const Dtype dtype = readers_.takes_bf16(node) || slices_bf16(node) ? activations_ : Dtype::f32;
    std::vector<Value> inputs;
    for (size_t i = 0; i < types.size(); ++i) {
      const bool is_activation = std::ranges::find(activations, static_cast<int>(i)) != activations.end();
      const Dtype wanted = is_activation && types[i].dtype == Dtype::f32 ? dtype : types[i].dtype;
      inputs.push_back(TRY(as(rebuild_.mapped(node.inputs[i]), wanted, node.scope)));
    }
    const std::vector<Value> outputs = TRY(rebuild_.add(widened(node), std::move(inputs)));
    for (size_t i = 0; i < outputs.size(); ++i) rebuild_.map(node.outputs[i], outputs[i]);
    return {};
  }

  // A part of what is bf16 anyway: the part is cast, not the whole.
  bool slices_bf16(const Node& node) {
    return dynamic_cast<const SliceAxis*>(node.op.get()) != nullptr &&
           rebuild_.graph().type(rebuild_.mapped(node.inputs[0])).dtype == activations_;
  }

  Node widened(const Node& node) const {
    if (!readers_.is_widened(node)) return node;
    const auto& product = static_cast<const Matmul&>(*node.op);
    return {std::make_shared<Matmul>(product.trans_a, product.trans_b, true), {}, {}, node.scope};
  }

  // One cast of a value for all that read it so.
  Result<Value> as(Value v, Dtype dtype, const std::string& scope) {
    if (rebuild_.graph().type(v).dtype == dtype) return v;
    Value& cast = casts_[v.id];
    if (!cast) cast = TRY(rebuild_.add({std::make_shared<Cast>(dtype), {}, {}, scope}, {v}))[0];
    return cast;
  }

  const Graph& graph_;
  const Readers readers_;
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
