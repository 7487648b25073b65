// Lowering: views found, kernels chosen, lifetimes computed, buffers placed, steps ordered.
#include "runtime/plan/plan.h"

#include <algorithm>

#include "runtime/ops/fetch/fetch.h"
#include "runtime/ops/split_axis/split_axis.h"
#include "runtime/plan/order_steps.h"
#include "runtime/plan/place_buffers.h"

namespace hearth {
namespace {

bool is_view(const Op& op) {
  return dynamic_cast<const SplitAxis*>(&op) != nullptr || dynamic_cast<const MergeAxes*>(&op) != nullptr;
}

bool is_fetch(const Op& op) {
  return dynamic_cast<const Fetch*>(&op) != nullptr;
}

bool is_bound(ValueKind kind) {
  return kind == ValueKind::parameter || kind == ValueKind::state;
}

std::vector<TensorType> types_of(const Graph& graph, const std::vector<Value>& values) {
  std::vector<TensorType> types;
  types.reserve(values.size());
  for (Value v : values) types.push_back(graph.type(v));
  return types;
}

// By value: itself, or the value whose bytes it shares.
std::vector<int> find_roots(const Graph& graph) {
  std::vector<int> roots(graph.values().size());
  for (size_t id = 0; id < roots.size(); ++id) roots[id] = static_cast<int>(id);
  for (const Node& node : graph.nodes())
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const int from = is_view(*node.op) ? 0 : node.op->version_of(static_cast<int>(i));
      if (from >= 0)
        roots[static_cast<size_t>(node.outputs[i].id)] =
            roots[static_cast<size_t>(node.inputs[static_cast<size_t>(from)].id)];
    }
  return roots;
}

// One step per node that computes something; kernels are not chosen yet.
std::vector<PlanStep> make_steps(const Graph& graph) {
  std::vector<PlanStep> steps;
  for (size_t n = 0; n < graph.nodes().size(); ++n)
    if (!is_view(*graph.nodes()[n].op)) steps.push_back({.node = static_cast<int>(n), .kernel = {}, .cost = {}});
  return steps;
}

Result<void> check_mutated_inputs(const Graph& graph, const std::vector<int>& roots) {
  for (const Node& node : graph.nodes())
    for (int index : node.op->mutated_inputs()) {
      const int root = roots[static_cast<size_t>(node.inputs[static_cast<size_t>(index)].id)];
      if (graph.info({root}).kind != ValueKind::state)
        return error(Code::invalid_argument, "{} writes to its input {}, which must be a state", node.op->name(),
                     index);
    }
  return {};
}

// Versions of a state share its bytes: each is written over the one before, which nobody may read after that.
Result<void> check_versions(const Graph& graph, const std::vector<int>& roots) {
  std::vector<int> version(graph.values().size()), newest(graph.values().size());
  for (size_t id = 0; id < version.size(); ++id) version[id] = newest[id] = static_cast<int>(id);
  for (const Node& node : graph.nodes()) {
    for (Value v : node.inputs) {
      const auto root = static_cast<size_t>(roots[static_cast<size_t>(v.id)]);
      if (graph.values()[root].kind == ValueKind::state && newest[root] != version[static_cast<size_t>(v.id)])
        return error(Code::invalid_argument, "{} in {} reads a version of \"{}\" that was written over before",
                     node.op->name(), node.scope, graph.values()[root].name);
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const auto out = static_cast<size_t>(node.outputs[i].id), root = static_cast<size_t>(roots[out]);
      if (is_view(*node.op)) version[out] = version[static_cast<size_t>(node.inputs[0].id)];
      if (node.op->version_of(static_cast<int>(i)) < 0) continue;
      if (graph.values()[root].kind != ValueKind::state)
        return error(Code::invalid_argument, "{} in {} writes the next version of what is no state", node.op->name(),
                     node.scope);
      newest[root] = node.outputs[i].id;
    }
  }
  return {};
}

// By value: the parameters that are fetched, which nothing else may read.
Result<std::vector<bool>> find_fetched(const Graph& graph) {
  std::vector<bool> out(graph.values().size(), false);
  for (const Node& node : graph.nodes())
    if (is_fetch(*node.op) && graph.info(node.inputs[0]).kind == ValueKind::parameter)
      out[static_cast<size_t>(node.inputs[0].id)] = true;
  const auto check = [&](Value v, std::string_view reader) -> Result<void> {
    if (!v || !out[static_cast<size_t>(v.id)]) return {};
    return error(Code::invalid_argument, "{} reads \"{}\", which stays in the host's memory: only fetch may", reader,
                 graph.info(v).name);
  };
  for (const Node& node : graph.nodes())
    for (Value v : node.inputs)
      if (!is_fetch(*node.op)) TRY(check(v, node.op->name()));
  for (Value v : graph.outputs()) TRY(check(v, "whoever wants an output"));
  return out;
}

// Lifetimes in steps, by root value. Inputs are filled before the first step; inputs and outputs live to the end.
class Lifetimes {
 public:
  Lifetimes(const Graph& graph, const std::vector<PlanStep>& steps, const std::vector<int>& roots)
      : roots_(roots),
        by_value_(graph.values().size(), BufferLifetime{-1, -1, 0}),
        used_(graph.values().size(), false) {
    const int end = static_cast<int>(steps.size());
    for (size_t id = 0; id < graph.values().size(); ++id)
      if (graph.values()[id].kind == ValueKind::input)
        touch({static_cast<int>(id)}, 0), touch({static_cast<int>(id)}, end);
    for (int s = 0; s < end; ++s) {
      const Node& node = graph.nodes()[static_cast<size_t>(steps[static_cast<size_t>(s)].node)];
      for (Value v : node.outputs) touch(v, s);
      for (Value v : node.inputs) touch(v, s);
    }
    for (Value v : graph.outputs())
      if (v) touch(v, end);
    for (size_t id = 0; id < graph.values().size(); ++id)
      by_value_[static_cast<size_t>(roots[id])].bytes = graph.values()[static_cast<size_t>(roots[id])].type.bytes();
  }
  bool used(size_t id) const { return used_[id]; }
  const BufferLifetime& operator[](size_t id) const { return by_value_[id]; }

 private:
  void touch(Value v, int step) {
    const auto root = static_cast<size_t>(roots_[static_cast<size_t>(v.id)]);
    if (!used_[root]) by_value_[root].first = step;
    used_[root] = true;
    by_value_[root].last = std::max(by_value_[root].last, step);
  }
  const std::vector<int>& roots_;
  std::vector<BufferLifetime> by_value_;
  std::vector<bool> used_;
};

void place(Plan& plan, const std::vector<int>& roots) {
  const Graph& graph = plan.graph;
  const Lifetimes lifetimes(graph, plan.steps, roots);
  std::vector<BufferLifetime> buffers;
  std::vector<int64_t*> targets;  // where each buffer's offset goes
  plan.places.resize(graph.values().size());
  for (size_t id = 0; id < plan.places.size(); ++id) {
    ValuePlace& place = plan.places[id];
    place.root = roots[id];
    if (is_bound(graph.info({roots[id]}).kind)) {
      place.where = ValuePlace::Where::bound;
    } else if (roots[id] == static_cast<int>(id) && lifetimes.used(id)) {
      buffers.push_back(lifetimes[id]);
      targets.push_back(&place.offset);
    }
  }
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    PlanStep& step = plan.steps[s];
    const auto bytes = static_cast<int64_t>(step.kernel.scratch_bytes);
    if (bytes == 0) continue;
    buffers.push_back({static_cast<int>(s), static_cast<int>(s), bytes});
    targets.push_back(&step.scratch_offset);
  }
  const BufferLayout layout = place_buffers(buffers);
  for (size_t i = 0; i < targets.size(); ++i) *targets[i] = layout.offsets[i];
  for (ValuePlace& place : plan.places)
    if (place.where == ValuePlace::Where::arena) place.offset = plan.places[static_cast<size_t>(place.root)].offset;
  plan.arena_bytes = layout.arena_bytes;
}

// What is fetched is the host's, and copies have a lane, where the device has memory of its own.
void tell_tiers(Plan& plan, const std::vector<bool>& fetched, bool has_host_tier) {
  for (PlanStep& step : plan.steps)
    if (has_host_tier && is_fetch(*plan.graph.nodes()[static_cast<size_t>(step.node)].op)) step.lane = Lane::copy;
  const auto bytes_in = [&](Tier tier) -> int64_t& { return plan.bytes[static_cast<size_t>(tier)]; };
  bytes_in(Tier::device) = plan.arena_bytes;
  for (size_t id = 0; id < plan.places.size(); ++id) {
    if (has_host_tier && fetched[id]) plan.places[id].tier = Tier::host;
    if (is_bound(plan.graph.values()[id].kind)) bytes_in(plan.places[id].tier) += plan.graph.values()[id].type.bytes();
  }
}

// "f32[1, 64], iq1_s[70, 64]"
std::string names_of(const std::vector<TensorType>& types) {
  std::string out;
  for (const TensorType& type : types) out += (out.empty() ? "" : ", ") + type.to_string();
  return out.empty() ? "no operands" : out;
}

// A backend of f32 activations has no kernel for others, whatever its table says.
bool is_beyond(const Backend& backend, const Op& op, Types inputs) {
  return backend.activations() == Dtype::f32 && std::ranges::any_of(op.activations(inputs), [&](int i) {
           return inputs[static_cast<size_t>(i)].dtype == Dtype::bf16;
         });
}

Result<void> choose_kernel(PlanStep& step, const Graph& graph, const Backend& backend) {
  const Node& node = graph.nodes()[static_cast<size_t>(step.node)];
  const std::vector<TensorType> inputs = types_of(graph, node.inputs);
  if (is_beyond(backend, *node.op, inputs))
    return error(Code::unimplemented,
                 "{} in {} has bf16 activations ({}), and {} computes with f32: plan the graph as it "
                 "is without the rewrite precision",
                 node.op->name(), node.scope, names_of(inputs), backend.name());
  step.cost = node.op->cost(inputs, types_of(graph, node.outputs));
  step.kernel = backend.kernels().find(*node.op, inputs);
  if (step.kernel.run == nullptr && !backend.is_host_memory())
    return error(Code::unimplemented, "{} ({}) has no kernel on {} in this build for {}", node.op->name(),
                 node.op->attributes(), backend.name(), names_of(inputs));
  return {};
}

}  // namespace

bool has_all_kernels(const Graph& graph, const Backend& backend) {
  return std::all_of(graph.nodes().begin(), graph.nodes().end(), [&](const Node& node) {
    const std::vector<TensorType> inputs = types_of(graph, node.inputs);
    return !is_beyond(backend, *node.op, inputs) && backend.kernels().find(*node.op, inputs).run != nullptr;
  });
}

Result<Plan> make_plan(Graph graph, const Backend& backend) {
  Plan plan;
  plan.graph = std::move(graph);
  const std::vector<int> roots = find_roots(plan.graph);
  TRY(check_mutated_inputs(plan.graph, roots));
  TRY(check_versions(plan.graph, roots));
  const std::vector<bool> fetched = TRY(find_fetched(plan.graph));
  plan.steps = make_steps(plan.graph);
  for (PlanStep& step : plan.steps) TRY(choose_kernel(step, plan.graph, backend));
  plan.cost = plan.graph.cost();
  place(plan, roots);
  tell_tiers(plan, fetched, !backend.is_host_memory());
  order_steps(plan);
  return plan;
}

}  // namespace hearth
