// Fusion by example: a fused op's unfused() is built once as a small pattern graph and matched against the graph, so no
// op's fusion is coded twice. A match must be closed: values inside the pattern have no users outside it.
#include <map>

#include "base/check.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/rebuild.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/swiglu/swiglu.h"

namespace hearth {
namespace {

// Fused ops, in order of preference.
std::vector<std::shared_ptr<const Op>> fused_ops() {
  return {std::make_shared<Swiglu>()};
}

bool same_op(const Op& a, const Op& b) {
  return a.name() == b.name() && a.attributes() == b.attributes();
}

struct Pattern {
  std::shared_ptr<const Op> fused;
  Graph graph;
  std::vector<Value> operands;  // pattern leaves in operand order
  Value result;
};

struct Match {
  std::map<int, Value> values;  // pattern value id → graph value
  std::vector<int> nodes;       // of the graph, the last one is the root
};

// Matches `pattern` with its result at `value`. Types are not part of a pattern: the fused op's infer() decides in the
// end.
class Matcher {
 public:
  Matcher(const Graph& graph, const Pattern& pattern) : graph_(graph), pattern_(pattern) {}

  std::optional<Match> at(Value value) {
    match_ = {};
    if (!walk(pattern_.result, value)) return std::nullopt;
    return match_;
  }

 private:
  bool walk(Value wanted, Value value) {
    auto [it, is_new] = match_.values.try_emplace(wanted.id, value);
    if (!is_new) return it->second == value;
    const ValueInfo& pattern_info = pattern_.graph.info(wanted);
    if (pattern_info.kind != ValueKind::computed) return true;  // an operand matches anything
    const int node_index = graph_.info(value).node;
    if (node_index < 0) return false;
    const Node& node = graph_.nodes()[static_cast<size_t>(node_index)];
    const Node& pattern_node = pattern_.graph.nodes()[static_cast<size_t>(pattern_info.node)];
    if (!same_op(*node.op, *pattern_node.op) || node.inputs.size() != pattern_node.inputs.size()) return false;
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (!walk(pattern_node.inputs[i], node.inputs[i])) return false;
    match_.nodes.push_back(node_index);
    return true;
  }

  const Graph& graph_;
  const Pattern& pattern_;
  Match match_;
};

Result<Pattern> pattern_of(const std::shared_ptr<const Op>& fused, Types types) {
  Pattern pattern{fused, {}, {}, {}};
  Builder b;
  for (size_t i = 0; i < types.size(); ++i) pattern.operands.push_back(b.input(std::to_string(i), types[i]));
  const std::vector<Value> results = fused->unfused(b, pattern.operands);
  CHECK(results.size() == 1);
  pattern.result = results[0];
  pattern.graph = TRY(b.finish());
  return pattern;
}

std::vector<int> count_users(const Graph& graph) {
  std::vector<int> users(graph.values().size(), 0);
  for (const Node& node : graph.nodes())
    for (Value v : node.inputs) ++users[static_cast<size_t>(v.id)];
  for (Value v : graph.outputs())
    if (v) ++users[static_cast<size_t>(v.id)];
  return users;
}

bool is_closed(const Graph& graph, const Match& match, const std::vector<int>& users) {
  for (size_t i = 0; i + 1 < match.nodes.size(); ++i)
    for (Value v : graph.nodes()[static_cast<size_t>(match.nodes[i])].outputs)
      if (users[static_cast<size_t>(v.id)] > 1) return false;
  return true;
}

Result<Graph> fuse_one(const Graph& graph, const Pattern& pattern) {
  const std::vector<int> users = count_users(graph);
  std::map<int, Match> roots;
  std::vector<bool> dropped(graph.nodes().size(), false);
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    std::optional<Match> match = Matcher(graph, pattern).at(graph.nodes()[i].outputs[0]);
    if (!match || !is_closed(graph, *match, users)) continue;
    for (int node : match->nodes) dropped[static_cast<size_t>(node)] = true;
    roots.emplace(static_cast<int>(i), *std::move(match));
  }
  Rebuild rebuild(graph);
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    auto root = roots.find(static_cast<int>(i));
    if (root == roots.end()) {
      if (!dropped[i]) TRY(rebuild.copy(node));
      continue;
    }
    Node fused{pattern.fused, {}, {}, node.scope};
    std::vector<Value> inputs;
    for (Value operand : pattern.operands) inputs.push_back(rebuild.mapped(root->second.values.at(operand.id)));
    rebuild.map(node.outputs[0], TRY(rebuild.add(fused, std::move(inputs)))[0]);
  }
  return rebuild.finish();
}

}  // namespace

Result<Graph> fuse(const Graph& graph) {
  Graph current = graph;
  for (const auto& fused : fused_ops()) {
    const TensorType any{Dtype::f32, {1, 1}};
    const TensorType types[] = {any, any};
    current = TRY(fuse_one(current, TRY(pattern_of(fused, types))));
  }
  return current;
}

}  // namespace hearth
