// Pointers resolved once; run() only walks the list.
//
// Threads meet between two steps only where the later touches memory that the earlier writes, or writes what it reads:
// the products for q, k and v need no barrier between them. Found once, by address, so that re-used buffers count too.
#include "runtime/exec/executor.h"

#include <algorithm>
#include <chrono>

#include "base/check.h"

namespace hearth {

struct Executor::State {
  State(Plan plan, Team& team, Arena& arena) : plan(std::move(plan)), team(team), arena(arena) {}

  struct Step {
    void (*run)(const KernelArgs&, const Worker&);
    KernelArgs args;
    bool meets_before;  // a barrier before this step
  };

  TensorView view(Value v) const { return values[static_cast<size_t>(v.id)]; }
  Result<void> bind(const Bindings& bindings);
  void resolve_steps();
  bool is_worth_a_team() const;
  void walk(const Worker& me) const;
  void walk_timed(const Worker& me, std::vector<double>& seconds) const;

  Plan plan;
  Team& team;
  Arena& arena;
  std::vector<TensorView> values;    // by value id
  std::vector<TensorView> operands;  // of all steps, one after the other
  std::vector<Step> steps;
  std::function<void(const Worker&)> body;
  bool alone = false;  // run on the caller's thread only
};

namespace {

// What a step reads and writes, as bytes.
class Footprint {
 public:
  Footprint(const KernelArgs& args, size_t scratch_bytes) {
    const std::vector<int> mutated = args.op->mutated_inputs();
    for (size_t i = 0; i < args.inputs.size(); ++i) {
      const bool is_written = std::find(mutated.begin(), mutated.end(), static_cast<int>(i)) != mutated.end();
      add(args.inputs[i].data, args.inputs[i].type.bytes(), is_written);
    }
    for (const TensorView& output : args.outputs) add(output.data, output.type.bytes(), true);
    add(args.scratch, static_cast<int64_t>(scratch_bytes), true);
  }
  bool conflicts_with(const Footprint& other) const {
    for (const Range& a : ranges_)
      for (const Range& b : other.ranges_)
        if ((a.is_written || b.is_written) && a.begin < b.end && b.begin < a.end) return true;
    return false;
  }

 private:
  struct Range {
    uintptr_t begin, end;
    bool is_written;
  };
  void add(const void* data, int64_t bytes, bool is_written) {
    const auto begin = reinterpret_cast<uintptr_t>(data);
    if (bytes > 0) ranges_.push_back({begin, begin + static_cast<uintptr_t>(bytes), is_written});
  }
  std::vector<Range> ranges_;
};

// A node without a kernel on this backend: the reference on one thread.
void run_reference(const KernelArgs& args, const Worker& me) {
  if (me.rank == 0) args.op->reference(args.inputs, args.outputs);
}

Result<TensorView> find_binding(const ValueInfo& info, const Bindings& bindings) {
  const char* kind = info.kind == ValueKind::state ? "state" : "parameter";
  auto it = bindings.find(info.name);
  if (it == bindings.end()) return error(Code::invalid_argument, "{} \"{}\" is not bound", kind, info.name);
  if (it->second.type != info.type)
    return error(Code::invalid_argument, "{} \"{}\" must be {}, got {}", kind, info.name, info.type.to_string(),
                 it->second.type.to_string());
  if (it->second.data == nullptr && info.type.bytes() > 0)
    return error(Code::invalid_argument, "{} \"{}\" is bound to a null pointer", kind, info.name);
  return it->second;
}

}  // namespace

Result<void> Executor::State::bind(const Bindings& bindings) {
  values.resize(plan.graph.values().size());
  for (size_t id = 0; id < values.size(); ++id) {
    const Placement& placement = plan.placements[id];
    values[id].type = plan.graph.values()[id].type;
    if (placement.where == Placement::Where::arena) {
      values[id].data = arena.data() + placement.offset;
    } else {
      const TensorView bound = TRY(find_binding(plan.graph.info({placement.root}), bindings));
      values[id].data = bound.data;
    }
  }
  return {};
}

void Executor::State::resolve_steps() {
  size_t n_operands = 0;
  for (const PlanStep& step : plan.steps) {
    const Node& node = plan.graph.nodes()[static_cast<size_t>(step.node)];
    n_operands += node.inputs.size() + node.outputs.size();
  }
  operands.reserve(n_operands);  // spans into it stay valid
  auto append = [&](const std::vector<Value>& list) {
    const TensorView* begin = operands.data() + operands.size();
    for (Value v : list) operands.push_back(view(v));
    return std::span<const TensorView>(begin, list.size());
  };
  std::vector<Footprint> since_barrier;
  for (const PlanStep& step : plan.steps) {
    const Node& node = plan.graph.nodes()[static_cast<size_t>(step.node)];
    KernelArgs args;
    args.op = node.op.get();
    args.inputs = append(node.inputs);
    args.outputs = append(node.outputs);
    args.scratch = step.kernel.scratch_bytes > 0 ? arena.data() + step.scratch_offset : nullptr;
    Footprint footprint(args, step.kernel.scratch_bytes);
    const bool meets_before = std::any_of(since_barrier.begin(), since_barrier.end(),
                                          [&](const Footprint& earlier) { return footprint.conflicts_with(earlier); });
    if (meets_before) since_barrier.clear();
    since_barrier.push_back(std::move(footprint));
    steps.push_back({step.kernel.run != nullptr ? step.kernel.run : run_reference, args, meets_before});
  }
}

// One thread is faster when meeting costs more than sharing saves: about 1 µs a barrier and 20 µs to wake the team,
// against work at a modest 50 GFLOP/s and 10 GB/s. The result is the same.
bool Executor::State::is_worth_a_team() const {
  const auto n_barriers = std::count_if(steps.begin(), steps.end(), [](const Step& s) { return s.meets_before; });
  const double alone = plan.cost.flops / 50e9 + (plan.cost.bytes_read + plan.cost.bytes_written) / 10e9;
  return alone > 2 * (20e-6 + 1e-6 * static_cast<double>(n_barriers));
}

void Executor::State::walk(const Worker& me) const {
  for (size_t s = 0; s < steps.size(); ++s) {
    if (steps[s].meets_before) me.sync();
    steps[s].run(steps[s].args, me);
  }
}

void Executor::State::walk_timed(const Worker& me, std::vector<double>& seconds) const {
  using Clock = std::chrono::steady_clock;
  me.sync();
  auto begin = Clock::now();
  for (size_t s = 0; s < steps.size(); ++s) {
    steps[s].run(steps[s].args, me);
    me.sync();
    const auto end = Clock::now();
    if (me.rank == 0) seconds[s] = std::chrono::duration<double>(end - begin).count();
    begin = end;
  }
}

Result<Executor> Executor::create(Plan plan, Team& team, Arena& arena, const Bindings& bindings) {
  if (plan.arena_bytes > arena.max_bytes())
    return error(Code::resource_exhausted, "the plan needs {} bytes of working memory, the arena has {}",
                 plan.arena_bytes, arena.max_bytes());
  auto state = std::make_unique<State>(std::move(plan), team, arena);
  TRY(state->bind(bindings));
  state->resolve_steps();
  state->body = [s = state.get()](const Worker& me) { s->walk(me); };
  state->alone = !state->is_worth_a_team();
  return Executor(std::move(state));
}

Executor::Executor(std::unique_ptr<State> state) : state_(std::move(state)) {}
Executor::Executor(Executor&&) noexcept = default;
Executor& Executor::operator=(Executor&&) noexcept = default;
Executor::~Executor() = default;

bool Executor::has_input(std::string_view name) const {
  const Value v = state_->plan.graph.find(name);
  return v && state_->plan.graph.info(v).kind == ValueKind::input;
}

TensorView Executor::input(std::string_view name) const {
  CHECK(has_input(name));
  return state_->view(state_->plan.graph.find(name));
}

TensorView Executor::output(size_t index) const {
  CHECK(index < state_->plan.graph.outputs().size());
  const Value v = state_->plan.graph.outputs()[index];
  return v ? state_->view(v) : TensorView{};
}

TensorView Executor::value(Value v) const {
  return state_->view(v);
}

void Executor::run() {
  if (state_->alone)
    state_->walk(Worker{});
  else
    state_->team.run(state_->body);
}

const Plan& Executor::plan() const {
  return state_->plan;
}

std::vector<OpTiming> Executor::profile() {
  State& s = *state_;
  std::vector<double> seconds(s.steps.size());
  s.team.run([&](const Worker& me) { s.walk_timed(me, seconds); });
  std::map<std::string, OpTiming, std::less<>> by_op;
  for (size_t i = 0; i < s.steps.size(); ++i) {
    const KernelArgs& args = s.steps[i].args;
    std::vector<TensorType> inputs, outputs;
    for (const TensorView& v : args.inputs) inputs.push_back(v.type);
    for (const TensorView& v : args.outputs) outputs.push_back(v.type);
    const Cost cost = args.op->cost(inputs, outputs);
    OpTiming& sum = by_op[std::string(args.op->name())];
    sum.op = args.op->name();
    sum.seconds += seconds[i];
    sum.n_calls += 1;
    sum.flops += cost.flops;
    sum.bytes += cost.bytes_read + cost.bytes_written;
  }
  std::vector<OpTiming> out;
  for (auto& [name, timing] : by_op) out.push_back(std::move(timing));
  return out;
}

}  // namespace hearth
