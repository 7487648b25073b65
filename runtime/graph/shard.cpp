// shard: one part's graph, as propagation has it.
#include "runtime/graph/shard.h"

#include <algorithm>

#include "base/check.h"
#include "runtime/graph/builder.h"
#include "runtime/ops/collective/collective.h"
#include "runtime/ops/slice_axis/slice_axis.h"

namespace hearth {
namespace {

class Writer {
 public:
  Writer(const Graph& graph, const Propagation& p, int part)
      : graph_(graph), p_(p), part_(part), there_(graph.values().size()) {}

  Result<Graph> run() {
    add_leaves();
    for (size_t i = 0; i < graph_.nodes().size() && !b_.failed(); ++i) visit(graph_.nodes()[i], p_.nodes[i]);
    for (size_t i = 0; i < graph_.outputs().size(); ++i) add_output(graph_.outputs()[i], p_.outputs[i]);
    Graph out = TRY(b_.finish());
    for (const Mark& mark : graph_.marks())
      if (const auto& there = there_[static_cast<size_t>(mark.value.id)]; !there.empty())
        out.mark(mark.name, there[0].value);
    return out;
  }

 private:
  struct There {
    Sharding sharding;
    Value value;
  };

  void add_leaves() {
    Graph leaves;
    for (size_t i = 0; i < there_.size(); ++i) {
      const ValueInfo& info = graph_.values()[i];
      if (info.kind == ValueKind::computed) continue;
      const TensorType type = part_type(info.type, p_.values[i], part_);
      there_[i] = {{p_.values[i], leaves.add_leaf(info.kind, info.name, type, info.state_kind)}};
    }
    b_ = Builder::continuing(std::move(leaves));
  }

  void visit(const Node& node, const Choice& choice) {
    b_.set_scope(node.scope);
    std::vector<Value> inputs;
    for (size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(get(node.inputs[i], choice.inputs[i]));
    const std::vector<Value> outputs = run_node(node, choice, std::move(inputs));
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const Value v = node.outputs[i];
      there_[static_cast<size_t>(v.id)] = {{choice.outputs[i], outputs[i]}};
      if (!b_.failed() && !(b_.type(outputs[i]) == part_type(graph_.type(v), choice.outputs[i], part_)))
        b_.fail(error(Code::internal, "shard: output {} of {} in {} is {} on part {}, and its rule says {} of {}", i,
                      node.op->name(), node.scope, b_.type(outputs[i]).to_string(), part_,
                      choice.outputs[i].to_string(), graph_.type(v).to_string()));
    }
  }

  std::vector<Value> run_node(const Node& node, const Choice& choice, std::vector<Value> inputs) {
    const auto at = static_cast<size_t>(part_);
    const bool has_cut = choice.bounds.size() > at + 1;
    const int64_t begin = has_cut ? choice.bounds[at] : 0, end = has_cut ? choice.bounds[at + 1] : 0;
    if (!choice.how.nodes)
      return b_.apply_all(choice.how.local ? choice.how.local(begin, end) : node.op, std::move(inputs));
    std::vector<TensorType> types;
    for (Value v : node.inputs) types.push_back(graph_.type(v));
    if (b_.failed()) return std::vector<Value>(node.outputs.size());
    return choice.how.nodes({b_, std::move(inputs), std::move(types), choice.inputs, p_.mesh.name, part_, p_.mesh.n,
                             begin, end, choice.bounds});
  }

  void add_output(Value v, const Sharding& wanted) {
    if (v) return b_.output(get(v, wanted));
    b_.output_none();
  }

  // In the wanted sharding, brought there once.
  Value get(Value v, const Sharding& wanted) {
    std::vector<There>& there = there_[static_cast<size_t>(v.id)];
    for (const There& t : there)
      if (t.sharding == wanted) return t.value;
    const There* from = nullptr;
    double least = 0;
    for (const There& t : there) {
      const std::optional<double> bytes = move_bytes(graph_.type(v), t.sharding, wanted, p_.mesh.n);
      if (bytes && (from == nullptr || *bytes < least)) from = &t, least = *bytes;
    }
    CHECK(from != nullptr);  // propagation takes no other
    there.push_back({wanted, moved(from->value, from->sharding, wanted)});
    return there.back().value;
  }

  Value moved(Value v, const Sharding& from, const Sharding& to) {
    const std::string& mesh = p_.mesh.name;
    const int n = p_.mesh.n;
    if (to.spread == Spread::sum) return v;  // what is owned
    if (from.is_whole()) {
      const auto i = static_cast<size_t>(part_);
      return b_.apply(std::make_shared<SliceAxis>(to.axis, to.bounds[i], to.bounds[i + 1] - to.bounds[i]), {v});
    }
    if (from.spread == Spread::cut && to.spread == Spread::cut)
      return b_.apply(std::make_shared<AllToAll>(mesh, part_, n, from.axis, from.bounds, to.axis, to.bounds), {v});
    if (from.spread == Spread::cut)
      return b_.apply(std::make_shared<AllGather>(mesh, part_, n, from.axis, from.bounds), {v});
    const Reduction how = from.spread == Spread::max           ? Reduction::max
                          : from.spread == Spread::log_sum_exp ? Reduction::log_sum_exp
                                                               : Reduction::sum;
    if (to.is_whole()) return b_.apply(std::make_shared<AllReduce>(mesh, part_, n, how), {v});
    return b_.apply(std::make_shared<ReduceScatter>(mesh, part_, n, how, to.axis, to.bounds), {v});
  }

  const Graph& graph_;
  const Propagation& p_;
  int part_;
  Builder b_;
  std::vector<std::vector<There>> there_;  // by value of `graph_`; the first is what its node makes
};

}  // namespace

Result<Graph> shard(const Graph& graph, const Propagation& propagation, int part) {
  CHECK(part >= 0 && part < propagation.mesh.n && propagation.nodes.size() == graph.nodes().size());
  return Writer(graph, propagation, part).run();
}

}  // namespace hearth
