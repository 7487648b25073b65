// loss: what training makes smaller, on top of the logits.
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/cross_entropy/cross_entropy.h"
#include "runtime/ops/matmul/matmul.h"
#include "runtime/ops/scale/scale.h"
#include "runtime/ops/tanh/tanh.h"

namespace hearth {
namespace {

// Walks back from a value through the ops that produced it.
class Trail {
 public:
  Trail(const Graph& graph, Value at) : graph_(graph), at_(at) {}
  template <class Wanted>
  const Wanted* op() const {
    const int node = graph_.info(at_).node;
    return node < 0 ? nullptr : dynamic_cast<const Wanted*>(graph_.nodes()[static_cast<size_t>(node)].op.get());
  }
  Value input(size_t i) const { return graph_.nodes()[static_cast<size_t>(graph_.info(at_).node)].inputs[i]; }
  template <class Wanted>
  const Wanted* step() {
    const Wanted* found = op<Wanted>();
    if (found != nullptr) at_ = input(0);
    return found;
  }

 private:
  const Graph& graph_;
  Value at_;
};

// x · wᵀ, perhaps times a factor; or of that the tanh, times a cap.
Logits take_apart(const Graph& graph, Value logits) {
  Logits out{.value = logits, .x = {}, .w = {}, .form = {}};
  Trail trail(graph, logits);
  LogitForm form;
  const Scale* outer = trail.step<Scale>();
  if (outer != nullptr && trail.step<Tanh>() != nullptr) {
    form.cap = outer->factor;
    outer = trail.step<Scale>();
  }
  if (outer != nullptr) form.factor = outer->factor;
  const auto* product = trail.op<Matmul>();
  const bool is_plain = product != nullptr && !product->trans_a && product->trans_b && form.cap >= 0 &&
                        graph.type(trail.input(0)).dtype == Dtype::f32;
  if (is_plain) out.x = trail.input(0), out.w = trail.input(1), out.form = form;
  return out;
}

}  // namespace

Result<Graph> loss(const Graph& forward, std::span<const LossTerm> terms) {
  if (forward.outputs().size() != 1 || !forward.outputs()[0])
    return error(Code::invalid_argument, "loss: the graph must have one output, the logits; it has {}",
                 forward.outputs().size());
  if (terms.empty()) return error(Code::invalid_argument, "loss: a loss needs a term");
  const Logits logits = take_apart(forward, forward.outputs()[0]);
  Graph graph = forward;
  graph.set_outputs({});
  Builder b = Builder::continuing(std::move(graph));
  if (const int node = forward.info(logits.value).node; node >= 0)
    b.set_scope(forward.nodes()[static_cast<size_t>(node)].scope);
  Value sum;
  for (const LossTerm& term : terms) {
    const Value value = term.build(b, logits);
    if (value && !(b.type(value) == TensorType{Dtype::f32, {1}}))
      return error(Code::invalid_argument, "loss: a term must be f32[1], got {}", b.type(value).to_string());
    const Value weighted = term.weight == 1 ? value : b.scale(value, term.weight);
    sum = sum ? b.add(sum, weighted) : weighted;
  }
  b.output(sum);  // null after an error, which finish() returns
  return prune(TRY(b.finish()));
}

LossTerm cross_entropy() {
  return {[](Builder& b, const Logits& logits) {
    const int64_t n_tokens = b.type(logits.value).shape[0];
    const Value targets = b.input("targets", {Dtype::i32, {n_tokens}});
    const Value weights = b.input("loss_weights", {Dtype::f32, {n_tokens}});
    if (logits.x)
      return b.apply(std::make_shared<LinearCrossEntropy>(logits.form), {logits.x, logits.w, targets, weights});
    return b.apply(std::make_shared<CrossEntropy>(), {logits.value, targets, weights});
  }};
}

}  // namespace hearth
