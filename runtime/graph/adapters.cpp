// adapters, adapters_by_token: the frozen product stays as it is, the update is added to what it ends in.
//
// By token: rows are brought together by adapter, as those of experts are, and go through one grouped product a matrix.
// A token without an adapter counts as one of an adapter behind the last, whose rows such a product leaves zero.
#include <algorithm>
#include <map>
#include <set>

#include "runtime/graph/rebuild.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/add/add.h"
#include "runtime/ops/combine_experts/combine_experts.h"
#include "runtime/ops/gather_rows/gather_rows.h"
#include "runtime/ops/grouped_matmul/grouped_matmul.h"
#include "runtime/ops/matmul/matmul.h"
#include "runtime/ops/route/route.h"
#include "runtime/ops/scale/scale.h"
#include "runtime/ops/sort_by_expert/sort_by_expert.h"
#include "runtime/ops/split_axis/split_axis.h"

namespace hearth {
namespace {

class Adapters {
 public:
  // n_adapters 0: one, for every token.
  Adapters(const Graph& graph, std::span<const LowRank> updates, int n_adapters)
      : graph_(graph), updates_(updates), n_adapters_(n_adapters), rebuild_(graph) {}

  Result<Graph> run() {
    const std::vector<Node>& nodes = graph_.nodes();
    for (size_t i = 0; i < nodes.size(); ++i) {
      TRY(rebuild_.copy(nodes[i]));
      const LowRank* update = update_of(nodes[i]);
      if (update == nullptr) continue;
      const Node& product = nodes[i];
      if (i + 1 < nodes.size() && adds_bias(nodes[i + 1], product)) TRY(rebuild_.copy(nodes[++i]));
      TRY(add_update(product, nodes[i].outputs[0], *update));
    }
    for (const LowRank& update : updates_)
      if (!done_.contains(update.parameter))
        return error(Code::invalid_argument, "no product of the graph reads \"{}\", which a low-rank update names",
                     update.parameter);
    return rebuild_.finish();
  }

 private:
  const LowRank* update_of(const Node& node) const {
    const auto* product = dynamic_cast<const Matmul*>(node.op.get());
    if (product == nullptr || product->trans_a || !product->trans_b) return nullptr;
    const ValueInfo& weight = graph_.info(node.inputs[1]);
    if (weight.kind != ValueKind::parameter) return nullptr;
    const auto found =
        std::find_if(updates_.begin(), updates_.end(), [&](const LowRank& u) { return u.parameter == weight.name; });
    return found == updates_.end() ? nullptr : &*found;
  }

  bool adds_bias(const Node& node, const Node& product) const {
    return dynamic_cast<const Add*>(node.op.get()) != nullptr && node.inputs[0] == product.outputs[0] &&
           graph_.info(node.inputs[1]).name == graph_.info(product.inputs[1]).name + "_bias";
  }

  Value parameter(const std::string& name, Shape shape) {
    const Value known = rebuild_.graph().find(name);
    return known ? known : rebuild_.graph().add_leaf(ValueKind::parameter, name, {Dtype::f32, shape});
  }

  Result<std::vector<Value>> apply_all(std::shared_ptr<const Op> op, std::vector<Value> inputs) {
    return rebuild_.add({std::move(op), {}, {}, scope_}, std::move(inputs));
  }
  Result<Value> apply(std::shared_ptr<const Op> op, std::vector<Value> inputs) {
    return TRY(apply_all(std::move(op), std::move(inputs)))[0];
  }
  Shape stacked(Shape shape) const { return n_adapters_ == 0 ? shape : Shape{n_adapters_, shape[0], shape[1]}; }

  // `end`: what the product ends in, in the source graph.
  Result<void> add_update(const Node& product, Value end, const LowRank& update) {
    scope_ = product.scope;
    const Shape& weight = graph_.type(product.inputs[1]).shape;
    const Value a = parameter(update.parameter + ".lora_a", stacked({update.rank, weight[1]}));
    const Value b = parameter(update.parameter + ".lora_b", stacked({weight[0], update.rank}));
    const Value x = rebuild_.mapped(product.inputs[0]);
    Value wide = TRY(n_adapters_ == 0 ? of_all(x, a, b) : by_token(x, a, b));
    if (n_adapters_ == 0 || update.scale != 1) wide = TRY(apply(std::make_shared<Scale>(update.scale), {wide}));
    rebuild_.map(end, TRY(apply(std::make_shared<Add>(), {rebuild_.mapped(end), wide})));
    done_.insert(update.parameter);
    return {};
  }

  Result<Value> of_all(Value x, Value a, Value b) {
    const auto linear = std::make_shared<Matmul>(false, true);
    return apply(linear, {TRY(apply(linear, {x, a})), b});
  }

  Result<Value> by_token(Value x, Value a, Value b) {
    TRY(sort(rebuild_.graph().type(x).shape[0]));
    Value& rows = rows_of_[x.id];  // products that read the same share them
    if (!rows) rows = TRY(apply(std::make_shared<GatherRows>(0), {x, token_of_row_}));
    const auto linear = std::make_shared<GroupedMatmul>(true);
    const Value narrow = TRY(apply(linear, {rows, a, begin_of_adapter_}));
    const Value wide = TRY(apply(linear, {narrow, b, begin_of_adapter_}));
    return apply(std::make_shared<CombineExperts>(), {wide, row_of_token_, scale_of_token_});
  }

  // Once: the order of the rows, and each token's scale, 0 without an adapter.
  Result<void> sort(int64_t n_tokens) {
    Graph& graph = rebuild_.graph();
    if (begin_of_adapter_) {
      if (graph.type(row_of_token_).shape[0] == n_tokens) return {};
      return error(Code::invalid_argument, "a low-rank update in {} is of {} rows, others of {}: each must be a token",
                   scope_, n_tokens, graph.type(row_of_token_).shape[0]);
    }
    const Value adapter = graph.add_leaf(ValueKind::input, std::string(kAdapterOfToken), {Dtype::i32, {n_tokens}});
    const Value column = TRY(apply(std::make_shared<SplitAxis>(0, 1), {adapter}));
    const auto sorted = TRY(apply_all(std::make_shared<SortByExpert>(n_adapters_ + 1), {column}));
    const Value scales =
        graph.add_leaf(ValueKind::parameter, std::string(kAdapterScale), {Dtype::f32, {n_adapters_, 1}});
    token_of_row_ = sorted[0], begin_of_adapter_ = sorted[2], row_of_token_ = sorted[3];
    scale_of_token_ = TRY(apply(std::make_shared<GatherRows>(0), {scales, adapter}));
    return {};
  }

  const Graph& graph_;
  std::span<const LowRank> updates_;
  const int n_adapters_;
  Rebuild rebuild_;
  std::string scope_;
  Value token_of_row_, begin_of_adapter_, row_of_token_, scale_of_token_;
  std::map<int, Value> rows_of_;  // by value id in the new graph
  std::set<std::string> done_;
};

Result<void> check_ranks(std::span<const LowRank> updates) {
  for (const LowRank& update : updates)
    if (update.rank < 1)
      return error(Code::invalid_argument, "a low-rank update of \"{}\" needs a rank of at least 1, got {}",
                   update.parameter, update.rank);
  return {};
}

}  // namespace

Result<Graph> adapters(const Graph& forward, std::span<const LowRank> updates) {
  TRY(check_ranks(updates));
  return Adapters(forward, updates, 0).run();
}

Result<Graph> adapters_by_token(const Graph& forward, std::span<const LowRank> updates, int n_adapters) {
  TRY(check_ranks(updates));
  if (n_adapters < 1 || n_adapters >= kMaxExperts)
    return error(Code::invalid_argument, "1 to {} adapters can be chosen from, got {}", kMaxExperts - 1, n_adapters);
  return Adapters(forward, updates, n_adapters).run();
}

}  // namespace hearth
