// offload: parameters that stay in the host's memory, each fetched a little ahead of who reads it.
//
// A fetch stands in the list before the first reader of the fetch before it, so that two are there at once: the one
// that is read, and the one that comes. That is a double buffer, which the planner makes of lifetimes alone. The link
// is then never idle where it decides the speed: when a copy has ended, its reader is what compute waits for, and the
// next copy stands before that reader. It also is the least memory that does it.
#include <algorithm>
#include <map>
#include <utility>

#include "runtime/graph/rebuild.h"
#include "runtime/graph/rewrites.h"
#include "runtime/ops/fetch/fetch.h"

namespace hearth {
namespace {

// A parameter in one scope, where it is fetched once: first read by that node.
struct Use {
  size_t node;
  Value parameter;
};

// In the order of nodes.
std::vector<Use> uses_of(const Graph& graph) {
  std::vector<Use> out;
  std::set<std::pair<int, std::string>> seen;
  for (size_t n = 0; n < graph.nodes().size(); ++n)
    for (Value v : graph.nodes()[n].inputs)
      if (graph.info(v).kind == ValueKind::parameter && seen.emplace(v.id, graph.nodes()[n].scope).second)
        out.push_back({n, v});
  return out;
}

// Parameters with as many uses, in the order of their first.
using ByUses = std::map<int, std::vector<Value>, std::greater<>>;

ByUses by_uses(const Graph& graph, const std::vector<Use>& uses) {
  std::map<int, int> count;
  for (const Use& use : uses) ++count[use.parameter.id];
  ByUses out;
  for (const Use& use : uses)
    if (int& n = count[use.parameter.id]; n > 0 && graph.type(use.parameter).shape.rank() > 1)
      out[std::exchange(n, 0)].push_back(use.parameter);
  return out;
}

class Offload {
 public:
  Offload(const Graph& graph, const std::set<std::string>& streamed)
      : graph_(graph), streamed_(streamed), rebuild_(graph), before_(graph.nodes().size()) {}

  Result<Graph> run() {
    TRY(check());
    place();
    for (size_t n = 0; n < graph_.nodes().size(); ++n) {
      for (const Use& use : before_[n]) TRY(fetch(use));
      TRY(copy(graph_.nodes()[n]));
    }
    return rebuild_.finish();
  }

 private:
  bool is_streamed(Value v) const {
    return graph_.info(v).kind == ValueKind::parameter && streamed_.contains(graph_.info(v).name);
  }
  Result<void> check() const {
    for (const std::string& name : streamed_)
      if (const Value v = graph_.find(name); !v || !is_streamed(v))
        return error(Code::invalid_argument, "offload: there is no parameter \"{}\"", name);
    return {};
  }
  // Of what one node reads first, all is fetched together.
  void place() {
    size_t before = 0, reader = 0;
    for (const Use& use : uses_of(graph_)) {
      if (!is_streamed(use.parameter)) continue;
      if (use.node != reader) before = std::exchange(reader, use.node);
      before_[before].push_back(use);
    }
  }
  Value& fetched(Value v, const std::string& scope) { return fetched_[{v.id, scope}]; }
  Result<void> fetch(const Use& use) {
    const std::string& scope = graph_.nodes()[use.node].scope;
    const Node like{std::make_shared<Fetch>(), {}, {}, scope};
    fetched(use.parameter, scope) = TRY(rebuild_.add(like, {rebuild_.mapped(use.parameter)}))[0];
    return {};
  }
  Result<void> copy(const Node& node) {
    std::vector<Value> inputs;
    for (Value v : node.inputs) inputs.push_back(is_streamed(v) ? fetched(v, node.scope) : rebuild_.mapped(v));
    const std::vector<Value> outputs = TRY(rebuild_.add(node, std::move(inputs)));
    for (size_t i = 0; i < outputs.size(); ++i) rebuild_.map(node.outputs[i], outputs[i]);
    return {};
  }

  const Graph& graph_;
  const std::set<std::string>& streamed_;
  Rebuild rebuild_;
  std::vector<std::vector<Use>> before_;  // by node: what is fetched just before it
  std::map<std::pair<int, std::string>, Value> fetched_;
};

}  // namespace

std::set<std::string> choose_streamed(const Graph& graph, int64_t resident_bytes) {
  const std::vector<Use> uses = uses_of(graph);
  const ByUses groups = by_uses(graph, uses);
  const auto bytes_of = [&](Value v) { return static_cast<double>(graph.type(v).bytes()); };
  double left = static_cast<double>(resident_bytes);
  for (const ValueInfo& info : graph.values())
    if (info.kind == ValueKind::parameter) left -= static_cast<double>(info.type.bytes());
  for (const auto& [n_uses, group] : groups)
    for (Value v : group) left += bytes_of(v);
  std::set<std::string> out;
  for (const auto& [n_uses, group] : groups) {
    double all = 0, seen = 0, kept = 0;
    for (Value v : group) all += bytes_of(v);
    const double share = std::clamp(left / all, 0.0, 1.0);
    for (Value v : group) {
      seen += bytes_of(v);
      if (kept + bytes_of(v) <= share * seen)
        kept += bytes_of(v);
      else
        out.insert(graph.info(v).name);
    }
    left -= kept;
  }
  return out;
}

Result<Graph> offload(const Graph& graph, const std::set<std::string>& streamed) {
  if (streamed.empty()) return graph;
  return Offload(graph, streamed).run();
}

}  // namespace hearth
