// adapters: the frozen product stays as it is, the update is added to what it ends in.
#include <algorithm>
#include <set>

#include "runtime/graph/rebuild.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/add/add.h"
#include "runtime/ops/matmul/matmul.h"
#include "runtime/ops/scale/scale.h"

namespace hearth {
namespace {

class Adapters {
 public:
  Adapters(const Graph& graph, std::span<const LowRank> updates) : graph_(graph), updates_(updates), rebuild_(graph) {}

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

  // `end`: what the product ends in, in the source graph.
  Result<void> add_update(const Node& product, Value end, const LowRank& update) {
    const Shape& weight = graph_.type(product.inputs[1]).shape;
    const Value a = parameter(update.parameter + ".lora_a", {update.rank, weight[1]});
    const Value b = parameter(update.parameter + ".lora_b", {weight[0], update.rank});
    auto apply = [&](std::shared_ptr<const Op> op, std::vector<Value> inputs) -> Result<Value> {
      return TRY(rebuild_.add({std::move(op), {}, {}, product.scope}, std::move(inputs)))[0];
    };
    const auto linear = std::make_shared<Matmul>(false, true);
    const Value narrow = TRY(apply(linear, {rebuild_.mapped(product.inputs[0]), a}));
    const Value wide = TRY(apply(std::make_shared<Scale>(update.scale), {TRY(apply(linear, {narrow, b}))}));
    rebuild_.map(end, TRY(apply(std::make_shared<Add>(), {rebuild_.mapped(end), wide})));
    done_.insert(update.parameter);
    return {};
  }

  const Graph& graph_;
  std::span<const LowRank> updates_;
  Rebuild rebuild_;
  std::set<std::string> done_;
};

}  // namespace

Result<Graph> adapters(const Graph& forward, std::span<const LowRank> updates) {
  for (const LowRank& update : updates)
    if (update.rank < 1)
      return error(Code::invalid_argument, "a low-rank update of \"{}\" needs a rank of at least 1, got {}",
                   update.parameter, update.rank);
  return Adapters(forward, updates).run();
}

}  // namespace hearth
