// loss: what training makes smaller, on top of the logits.
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/cross_entropy/cross_entropy.h"

namespace hearth {

Result<Graph> loss(const Graph& forward, std::span<const LossTerm> terms) {
  if (forward.outputs().size() != 1 || !forward.outputs()[0])
    return error(Code::invalid_argument, "loss: the graph must have one output, the logits; it has {}",
                 forward.outputs().size());
  if (terms.empty()) return error(Code::invalid_argument, "loss: a loss needs a term");
  const Value logits = forward.outputs()[0];
  Graph graph = forward;
  graph.set_outputs({});
  Builder b = Builder::continuing(std::move(graph));
  if (const int node = forward.info(logits).node; node >= 0)
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
  return b.finish();
}

LossTerm cross_entropy() {
  return {[](Builder& b, Value logits) {
    const int64_t n_tokens = b.type(logits).shape[0];
    const Value targets = b.input("targets", {Dtype::i32, {n_tokens}});
    const Value weights = b.input("loss_weights", {Dtype::f32, {n_tokens}});
    return b.apply(std::make_shared<CrossEntropy>(), {logits, targets, weights});
  }};
}

}  // namespace hearth
