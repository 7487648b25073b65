// Reverse-mode differentiation as a rewrite: walks the forward nodes backwards and lets each op append its gradient.
#include <map>

#include "runtime/graph/gradient_builder.h"
#include "runtime/graph/rewrites.h"

namespace hearth {
namespace {

// Which values depend on one of `wrt`: only those need gradients.
std::vector<bool> depends_on(const Graph& graph, std::span<const Value> wrt) {
  std::vector<bool> depends(graph.values().size(), false);
  for (Value v : wrt) depends[static_cast<size_t>(v.id)] = true;
  for (const Node& node : graph.nodes()) {
    bool any = false;
    for (Value v : node.inputs) any = any || depends[static_cast<size_t>(v.id)];
    for (Value v : node.outputs) depends[static_cast<size_t>(v.id)] = any;
  }
  return depends;
}

bool is_float(Dtype dtype) {
  return dtype == Dtype::f32 || dtype == Dtype::bf16;
}

class Backward {
 public:
  Backward(const Graph& forward, std::vector<bool> needed)
      : builder_(Builder::continuing(forward)), needed_(std::move(needed)), grads_(forward.values().size()) {}

  void accumulate(Value v, Value grad) {
    Value& slot = grads_[static_cast<size_t>(v.id)];
    const Value like_v = is_float(builder_.type(v).dtype) ? builder_.cast(grad, builder_.type(v).dtype) : grad;
    slot = slot ? builder_.add(slot, like_v) : like_v;
  }

  Result<void> visit(const Node& node) {
    std::vector<Value> output_grads;
    bool any_grad = false;
    for (Value v : node.outputs) {
      output_grads.push_back(grads_[static_cast<size_t>(v.id)]);
      any_grad = any_grad || output_grads.back();
    }
    std::vector<bool> needed;
    bool any_needed = false;
    for (Value v : node.inputs) {
      needed.push_back(needed_[static_cast<size_t>(v.id)]);
      any_needed = any_needed || needed.back();
    }
    if (!any_grad || !any_needed) return {};
    builder_.set_scope(node.scope + ".grad");
    GradientBuilder g(builder_, node.inputs, node.outputs, std::move(output_grads), needed);
    const std::vector<Value> input_grads =
        TRY_WITH(node.op->gradient(g), "while differentiating {} in {}", node.op->name(), node.scope);
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (needed[i] && input_grads[i]) accumulate(node.inputs[i], input_grads[i]);
    for (size_t i = 0; i < node.outputs.size(); ++i)
      if (const Value v = g.replaced_output(static_cast<int>(i))) replaced_[node.outputs[i].id] = v;
    return {};
  }

  Result<Differentiated> finish(std::span<const Value> wrt) {
    Differentiated out;
    for (Value v : wrt) {
      out.grads.push_back(grads_[static_cast<size_t>(v.id)]);
      builder_.output(out.grads.back());
    }
    out.graph = TRY(builder_.finish());
    std::vector<Value> outputs = out.graph.outputs();
    for (Value& v : outputs)
      if (const auto found = replaced_.find(v.id); found != replaced_.end()) v = found->second;
    out.graph.set_outputs(std::move(outputs));
    return out;
  }

 private:
  Builder builder_;
  std::vector<bool> needed_;
  std::vector<Value> grads_;
  std::map<int, Value> replaced_;  // outputs of the graph that backward computes too
};

}  // namespace

// The seed dloss is an input "dloss" f32[1]: 1 for the plain gradient, 1/n when micro-batches accumulate.
Result<Differentiated> differentiate(const Graph& forward, Value loss, std::span<const Value> wrt) {
  if (!(forward.type(loss) == TensorType{Dtype::f32, {1}}))
    return error(Code::invalid_argument, "differentiate: the loss must be f32[1], got {}",
                 forward.type(loss).to_string());
  Graph seeded = forward;
  const Value seed = seeded.add_leaf(ValueKind::input, "dloss", {Dtype::f32, {1}});
  Backward backward(seeded, depends_on(seeded, wrt));
  backward.accumulate(loss, seed);
  for (auto node = forward.nodes().rbegin(); node != forward.nodes().rend(); ++node) TRY(backward.visit(*node));
  return backward.finish(wrt);
}

}  // namespace hearth
