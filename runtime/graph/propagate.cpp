// Propagation: what each node can do, and what it costs.
#include <algorithm>
#include <numeric>
#include <tuple>

#include "base/check.h"
#include "runtime/graph/shard.h"

namespace hearth {
namespace {

Bounds scaled(Bounds bounds, int64_t unit) {
  for (int64_t& bound : bounds) bound *= unit;
  return bounds;
}

// In units, where each bound is a whole number of them.
std::optional<Bounds> in_units(Bounds bounds, int64_t unit) {
  for (int64_t& bound : bounds) {
    if (bound % unit != 0) return {};
    bound /= unit;
  }
  return bounds;
}

// Along its last axis a quantised value is cut between blocks.
int64_t block_of(const TensorType& type, int axis) {
  return axis == type.shape.rank() - 1 ? dtype_info(type.dtype).block_elements : 1;
}

bool is_between_blocks(const TensorType& type, const Sharding& s) {
  if (s.spread != Spread::cut) return true;
  const int64_t block = block_of(type, s.axis);
  return std::ranges::all_of(s.bounds, [&](int64_t bound) { return bound % block == 0; });
}

class Chooser {
 public:
  Chooser(const Op& op, const Operands& operands, int n) : op_(op), x_(operands), n_(n) {}

  std::vector<Choice> run() {
    Alternative whole;
    whole.inputs.resize(x_.inputs.size());
    whole.outputs.resize(x_.outputs.size());
    add(whole, {});
    for (const Alternative& a : alternatives(op_.sharding(x_.inputs)))
      for (const Bounds& bounds : candidates(a)) add(a, bounds);
    return std::move(out_);
  }

 private:
  struct Operand {
    const OperandRule& rule;
    const TensorType& type;
  };
  std::vector<Operand> cut_operands(const Alternative& a) const {
    CHECK(a.inputs.size() == x_.inputs.size() && a.outputs.size() == x_.outputs.size());  // a rule says all operands
    std::vector<Operand> out;
    for (size_t i = 0; i < a.inputs.size(); ++i)
      if (a.inputs[i].spread == Spread::cut) out.push_back({a.inputs[i], x_.inputs[i]});
    for (size_t i = 0; i < a.outputs.size(); ++i)
      if (a.outputs[i].spread == Spread::cut) out.push_back({a.outputs[i], x_.outputs[i]});
    return out;
  }

  // Where inputs are cut already, and evenly; without a cut, once with no bounds.
  std::vector<Bounds> candidates(const Alternative& a) const {
    const std::vector<Operand> operands = cut_operands(a);
    if (operands.empty()) return {a.owner >= 0 ? owned_bounds() : Bounds{}};
    std::vector<Bounds> out;
    auto add_once = [&](Bounds bounds) {
      if (!bounds.empty() && std::ranges::find(out, bounds) == out.end()) out.push_back(std::move(bounds));
    };
    for (size_t i = 0; i < a.inputs.size(); ++i)
      for (const Sharding& s : x_.given[i])
        if (a.inputs[i].spread == Spread::cut && s.spread == Spread::cut && s.axis == a.inputs[i].axis)
          add_once(in_units(s.bounds, a.inputs[i].unit).value_or(Bounds{}));
    if (a.owner >= 0) add_once(owned_bounds());
    add_once(even(a, operands));
    return out;
  }

  Bounds owned_bounds() const {
    for (const auto& given : x_.given)
      for (const Sharding& s : given)
        if (s.spread == Spread::owned) return s.bounds;
    return {};
  }

  Bounds even(const Alternative& a, const std::vector<Operand>& operands) const {
    int64_t n_units = -1, stay = 1;  // so many units stay together, for blocks' sake
    for (const Operand& o : operands) {
      const int64_t size = o.type.shape[o.rule.axis], block = block_of(o.type, o.rule.axis);
      if (size % o.rule.unit != 0) return {};
      if (n_units >= 0 && n_units != size / o.rule.unit) return {};
      n_units = size / o.rule.unit;
      stay = std::lcm(stay, block / std::gcd(block, o.rule.unit));
    }
    return even_bounds(n_units, stay, n_, std::max<int64_t>(1, a.group / stay));
  }

  void add(const Alternative& a, const Bounds& bounds) {
    if (!is_possible(a, bounds)) return;
    Choice choice{a, bounds, {}, {}, 0, 0, 0};
    for (size_t i = 0; i < a.inputs.size(); ++i) {
      const Sharding wanted = wanted_input(a, i, bounds);
      if (!is_between_blocks(x_.inputs[i], wanted)) return;
      if (wanted.is_partial() && x_.inputs[i].dtype != Dtype::f32) return;
      const std::optional<double> bytes = cheapest(i, wanted);
      if (!bytes) return;
      const auto& given = x_.given[i];
      choice.n_moves += !given.empty() && std::ranges::find(given, wanted) == given.end();
      choice.n_gathered += *bytes > 0 && i < x_.is_parameter.size() && x_.is_parameter[i];
      choice.bytes += *bytes;
      choice.inputs.push_back(wanted);
    }
    for (size_t i = 0; i < a.outputs.size(); ++i) {
      choice.outputs.push_back(sharding_of(a, a.outputs[i], bounds));
      if (!is_between_blocks(x_.outputs[i], choice.outputs.back())) return;
      if (choice.outputs.back().is_partial() && x_.outputs[i].dtype != Dtype::f32) return;
      if (const int from = op_.version_of(static_cast<int>(i));
          from >= 0 && choice.outputs.back() != choice.inputs[static_cast<size_t>(from)])
        return;
    }
    out_.push_back(std::move(choice));
  }

  bool is_possible(const Alternative& a, const Bounds& bounds) const {
    const bool cuts = !cut_operands(a).empty();
    if (cuts && (bounds.size() != static_cast<size_t>(n_) + 1 || !keeps_groups(bounds, a.group))) return false;
    if (a.local)
      for (int i = 0; i < n_; ++i)
        if (!a.local(bounds[static_cast<size_t>(i)], bounds[static_cast<size_t>(i) + 1])) return false;
    for (const Operand& o : cut_operands(a))
      if (bounds.back() * o.rule.unit != o.type.shape[o.rule.axis]) return false;
    return true;
  }

  Sharding sharding_of(const Alternative& a, const OperandRule& rule, const Bounds& bounds) const {
    if (rule.spread == Spread::cut) return Sharding::cut(rule.axis, scaled(bounds, rule.unit));
    if (rule.spread != Spread::owned) return {rule.spread, -1, {}, -1};
    if (a.owner >= 0) return {Spread::owned, -1, bounds, x_.sources[static_cast<size_t>(a.owner)]};
    for (const auto& given : x_.given)
      for (const Sharding& s : given)
        if (s.spread == Spread::owned) return s;
    return {Spread::owned, -1, {}, -1};  // nobody's: cannot be got
  }

  Sharding wanted_input(const Alternative& a, size_t i, const Bounds& bounds) const {
    const OperandRule& rule = a.inputs[i];
    const std::vector<Sharding>& given = x_.given[i];
    if (rule.spread == Spread::any) return given.empty() || given[0].is_partial() ? Sharding() : given[0];
    Sharding wanted = sharding_of(a, rule, bounds);
    if (rule.or_whole && std::ranges::find(given, wanted) == given.end()) return {};
    return wanted;
  }

  // What is written to stays where it is.
  bool is_state(size_t i) const {
    const std::vector<int> mutated = op_.mutated_inputs();
    if (std::ranges::find(mutated, static_cast<int>(i)) != mutated.end()) return true;
    for (size_t k = 0; k < x_.outputs.size(); ++k)
      if (op_.version_of(static_cast<int>(k)) == static_cast<int>(i)) return true;
    return false;
  }

  std::optional<double> cheapest(size_t i, const Sharding& wanted) const {
    if (x_.given[i].empty()) return wanted.is_partial() && !x_.may_be_partial ? std::nullopt : std::optional<double>(0);
    std::optional<double> best;
    for (const Sharding& from : x_.given[i]) {
      const std::optional<double> bytes =
          is_state(i) && from != wanted ? std::nullopt : move_bytes(x_.inputs[i], from, wanted, n_);
      if (bytes && (!best || *bytes < *best)) best = bytes;
    }
    return best;
  }

  const Op& op_;
  const Operands& x_;
  int n_;
  std::vector<Choice> out_;
};

class Propagator {
 public:
  Propagator(const Graph& graph, const MeshAxis& mesh) : graph_(graph), there_(graph.values().size()) {
    out_.mesh = mesh;
    out_.values.resize(graph.values().size());
  }

  Result<Propagation> run(const LeafShardings& leaves, Outputs outputs) {
    TRY(take_leaves(leaves));
    for (size_t i = 0; i < graph_.nodes().size(); ++i) TRY(visit(graph_.nodes()[i]));
    for (Value v : graph_.outputs()) {
      Sharding to;
      if (v && outputs == Outputs::as_they_come && made(v).spread == Spread::cut) to = made(v);
      if (v) out_.bytes += *move_bytes(graph_.type(v), made(v), to, out_.mesh.n);
      out_.outputs.push_back(to);
    }
    return std::move(out_);
  }

 private:
  const Sharding& made(Value v) const { return out_.values[static_cast<size_t>(v.id)]; }

  Result<void> take_leaves(const LeafShardings& leaves) {
    for (const auto& [name, sharding] : leaves)
      if (!graph_.find(name)) return error(Code::invalid_argument, "shard: the graph has no leaf \"{}\"", name);
    for (size_t i = 0; i < there_.size(); ++i) {
      const ValueInfo& info = graph_.values()[i];
      if (info.kind == ValueKind::computed) continue;
      const auto given = leaves.find(info.name);
      if (given == leaves.end() && info.kind == ValueKind::state) continue;  // as its first reader wants it
      if (given != leaves.end()) TRY(check(info, given->second));
      settle({static_cast<int>(i)}, given == leaves.end() ? Sharding() : given->second);
    }
    return {};
  }

  Result<void> check(const ValueInfo& info, const Sharding& s) const {
    if (s.spread != Spread::cut) return {};
    const bool has_axis = s.axis >= 0 && s.axis < info.type.shape.rank();
    const bool has_parts = s.bounds.size() == static_cast<size_t>(out_.mesh.n) + 1 && s.bounds[0] == 0 &&
                           std::ranges::adjacent_find(s.bounds, std::greater_equal<>()) == s.bounds.end();
    if (has_axis && has_parts && s.bounds.back() == info.type.shape[s.axis] && is_between_blocks(info.type, s))
      return {};
    return error(Code::invalid_argument, "shard: \"{}\" {} cannot be {} for {} parts", info.name, info.type.to_string(),
                 s.to_string(), out_.mesh.n);
  }

  void settle(Value v, const Sharding& s) {
    out_.values[static_cast<size_t>(v.id)] = s;
    there_[static_cast<size_t>(v.id)] = {s};
  }

  Result<void> visit(const Node& node) {
    Operands x;
    for (Value v : node.inputs) {
      x.inputs.push_back(graph_.type(v));
      x.given.push_back(there_[static_cast<size_t>(v.id)]);
      x.is_parameter.push_back(graph_.info(v).kind == ValueKind::parameter);
      x.sources.push_back(graph_.info(v).node >= 0 ? graph_.info(v).node : -1 - v.id);
    }
    for (Value v : node.outputs) x.outputs.push_back(graph_.type(v));
    const std::vector<Choice> all = choices(*node.op, x, out_.mesh.n);
    if (all.empty())
      return error(Code::unimplemented, "shard: {} in {} cannot be run on parts of its operands", node.op->name(),
                   node.scope);
    const Choice& best = *std::ranges::min_element(all, [](const Choice& a, const Choice& b) {
      return std::tuple(a.n_gathered, a.bytes, a.n_moves) < std::tuple(b.n_gathered, b.bytes, b.n_moves);
    });
    for (size_t i = 0; i < node.inputs.size(); ++i) arrive(node.inputs[i], best.inputs[i]);
    for (size_t i = 0; i < node.outputs.size(); ++i) settle(node.outputs[i], best.outputs[i]);
    out_.bytes += best.bytes;
    out_.nodes.push_back(best);
    return {};
  }

  void arrive(Value v, const Sharding& s) {
    std::vector<Sharding>& there = there_[static_cast<size_t>(v.id)];
    if (there.empty()) return settle(v, s);
    if (std::ranges::find(there, s) == there.end()) there.push_back(s);
  }

  const Graph& graph_;
  std::vector<std::vector<Sharding>> there_;  // by value: in which shardings it is there already
  Propagation out_;
};

}  // namespace

std::optional<double> move_bytes(const TensorType& type, const Sharding& from, const Sharding& to, int n) {
  const double bytes = static_cast<double>(type.bytes()), of_others = bytes * (n - 1) / n;
  if (from == to) return 0;
  if (from.is_whole() && to.spread == Spread::cut)
    return type.dtype == Dtype::f32 || type.dtype == Dtype::i32 ? std::optional<double>(0) : std::nullopt;
  if (from.spread == Spread::cut && to.is_whole()) return of_others;
  if (from.spread == Spread::cut && to.spread == Spread::cut) return of_others / n;
  const bool is_sum = from.spread == Spread::sum || from.spread == Spread::owned;
  if (from.is_partial() && to.is_whole()) return 2 * of_others;
  if (is_sum && to.spread == Spread::cut) return of_others;
  if (from.spread == Spread::owned && to.spread == Spread::sum) return 0;
  return {};
}

std::vector<Choice> choices(const Op& op, const Operands& operands, int n) {
  return Chooser(op, operands, n).run();
}

Result<Propagation> propagate(const Graph& graph, const MeshAxis& mesh, const LeafShardings& leaves, Outputs outputs) {
  constexpr int kMostParts = 1024;
  if (mesh.n < 1 || mesh.n > kMostParts)
    return error(Code::invalid_argument, "shard: a mesh axis has 1 to {} parts, got {}", kMostParts, mesh.n);
  return Propagator(graph, mesh).run(leaves, outputs);
}

std::string Propagation::to_string(const Graph& graph) const {
  std::string out;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = graph.nodes()[i];
    const Choice& choice = nodes[i];
    std::string to;
    for (const Sharding& s : choice.outputs) to += (to.empty() ? "" : "; ") + s.to_string();
    out += fmt::format("{} {}: {}{} ({:.0f} bytes first)\n", node.scope, node.op->name(),
                       choice.how.axis.empty() ? "" : "by " + choice.how.axis + ", ", to, choice.bytes);
  }
  return out;
}

}  // namespace hearth
