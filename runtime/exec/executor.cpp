// Pointers resolved once, and again only when the arena moved; run() only plays the tape.
//
// A call waits only where it touches memory that an earlier one writes, or writes what it reads. Found by address, so
// that re-used buffers count too.
#include "runtime/exec/executor.h"

#include <algorithm>

#include "base/check.h"

namespace hearth {
namespace {

// What a call reads and writes, as bytes.
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

// Says of each call whether it waits.
class Order {
 public:
  bool waits(const KernelArgs& args, size_t scratch_bytes) {
    Footprint footprint(args, scratch_bytes);
    const bool waits = std::any_of(since_.begin(), since_.end(),
                                   [&](const Footprint& earlier) { return footprint.conflicts_with(earlier); });
    if (waits) since_.clear();
    since_.push_back(std::move(footprint));
    return waits;
  }

 private:
  std::vector<Footprint> since_;  // the last call that waits, and those behind it
};

// A node without a kernel on this backend: the reference, once.
void run_on_one_thread(const KernelArgs& args, const Worker& me) {
  if (me.rank == 0) run_reference(*args.op, args.inputs, args.outputs);
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

struct Executor::State {
  State(Plan p, Arena& a) : plan(std::move(p)), arena(a), backend(a.backend()) {}

  TensorView view(Value v) const { return values[static_cast<size_t>(v.id)]; }
  Result<void> bind(const Bindings& bindings);
  Result<void> connect(const Communicators& comms);
  Result<void> check_comms() const;
  void stage(size_t n_host_outputs);
  void follow_arena();
  std::vector<Call> resolve_calls();
  Result<void> prepare();
  Result<void> copy_inputs();
  Result<void> copy_outputs();

  struct Staged {
    Value value;
    Tensor host;
  };

  Plan plan;
  Arena& arena;
  Backend& backend;
  uint64_t generation = 0;              // of the arena, when values were found
  std::vector<TensorView> values;       // by value id, in the backend's memory
  std::vector<TensorView> operands;     // of all calls, one after the other
  std::vector<Staged> inputs, outputs;  // on the host; empty where the backend's memory is the host's
  Communicators comms;                  // that the plan speaks through
  std::unique_ptr<Tape> tape;           // null: to be recorded anew
};

Result<void> Executor::State::bind(const Bindings& bindings) {
  values.resize(plan.graph.values().size());
  for (size_t id = 0; id < values.size(); ++id) {
    values[id].type = plan.graph.values()[id].type;
    if (plan.placements[id].where == Placement::Where::bound)
      values[id].data = TRY(find_binding(plan.graph.info({plan.placements[id].root}), bindings)).data;
  }
  return {};
}

Result<void> Executor::State::connect(const Communicators& given) {
  for (const PlanStep& step : plan.steps) {
    const std::string mesh(plan.graph.nodes()[static_cast<size_t>(step.node)].op->mesh());
    if (mesh.empty() || comms.contains(mesh)) continue;
    const auto comm = given.find(mesh);
    if (comm != given.end()) comms.insert(*comm);
  }
  for (const PlanStep& step : plan.steps) {
    const Op& op = *plan.graph.nodes()[static_cast<size_t>(step.node)].op;
    if (!op.mesh().empty() && !comms.contains(op.mesh()))
      return error(Code::failed_precondition, "{} needs a communicator for the mesh axis \"{}\"", op.name(), op.mesh());
  }
  return {};
}

Result<void> Executor::State::check_comms() const {
  for (const auto& [name, comm] : comms) TRY_WITH(comm->status(), "among the parts of \"{}\"", name);
  return {};
}

void Executor::State::stage(size_t n_host_outputs) {
  if (backend.is_host_memory()) return;
  for (size_t id = 0; id < values.size(); ++id)
    if (plan.graph.values()[id].kind == ValueKind::input)
      inputs.push_back({{static_cast<int>(id)}, Tensor(values[id].type)});
  for (Value v : plan.graph.outputs())
    outputs.push_back({v, v && outputs.size() < n_host_outputs ? Tensor(view(v).type) : Tensor()});
}

void Executor::State::follow_arena() {
  if (generation == arena.generation()) return;
  generation = arena.generation();
  tape.reset();
  for (size_t id = 0; id < values.size(); ++id)
    if (plan.placements[id].where == Placement::Where::arena)
      values[id].data = arena.data() + plan.placements[id].offset;
}

std::vector<Call> Executor::State::resolve_calls() {
  operands.clear();
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
  Order order;
  std::vector<Call> calls;
  for (const PlanStep& step : plan.steps) {
    const Node& node = plan.graph.nodes()[static_cast<size_t>(step.node)];
    KernelArgs args;
    args.op = node.op.get();
    args.inputs = append(node.inputs);
    args.outputs = append(node.outputs);
    if (const auto comm = comms.find(args.op->mesh()); comm != comms.end()) args.comm = comm->second;
    args.scratch = step.kernel.scratch_bytes > 0 ? arena.data() + step.scratch_offset : nullptr;
    calls.push_back({step.kernel.run != nullptr ? step.kernel.run : run_on_one_thread, args,
                     order.waits(args, step.kernel.scratch_bytes), step.cost.flops,
                     step.cost.bytes_read + step.cost.bytes_written, step.kernel.scratch_bytes,
                     node.op->mutated_inputs()});
  }
  return calls;
}

Result<void> Executor::State::prepare() {
  follow_arena();
  if (!tape) tape = TRY(backend.record(resolve_calls()));
  return {};
}

Result<void> Executor::State::copy_inputs() {
  for (const Staged& s : inputs)
    TRY(backend.write(view(s.value).as<std::byte>(), s.host.view().data, s.host.type().bytes()));
  return {};
}

Result<void> Executor::State::copy_outputs() {
  for (const Staged& s : outputs)
    if (s.host.view().data != nullptr)
      TRY(backend.read(s.host.view().data, view(s.value).as<std::byte>(), s.host.type().bytes()));
  return {};
}

Result<Executor> Executor::create(Plan plan, Arena& arena, const Bindings& bindings, size_t n_host_outputs,
                                  const Communicators& comms) {
  TRY(arena.ensure(plan.arena_bytes));
  auto state = std::make_unique<State>(std::move(plan), arena);
  TRY(state->bind(bindings));
  TRY(state->connect(comms));
  state->stage(n_host_outputs);
  TRY(state->prepare());
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

TensorView Executor::input(std::string_view name) {
  CHECK(has_input(name));
  const Value v = state_->plan.graph.find(name);
  for (const State::Staged& s : state_->inputs)
    if (s.value.id == v.id) return s.host.view();
  state_->follow_arena();
  return state_->view(v);
}

TensorView Executor::output(size_t index) const {
  CHECK(index < state_->plan.graph.outputs().size());
  if (!state_->outputs.empty()) return state_->outputs[index].host.view();
  const Value v = state_->plan.graph.outputs()[index];
  return v ? state_->view(v) : TensorView{};
}

Result<HostView> Executor::read_output(size_t index) const {
  CHECK(index < state_->plan.graph.outputs().size());
  const Value v = state_->plan.graph.outputs()[index];
  if (!v) return HostView{};
  const TensorView there = state_->view(v);
  if (state_->backend.is_host_memory()) return HostView{there};
  Tensor copy(there.type);
  TRY(state_->backend.read(copy.view().data, there.as<std::byte>(), there.type.bytes()));
  const TensorView view = copy.view();
  return HostView{view, std::move(copy)};
}

TensorView Executor::value(Value v) const {
  return state_->view(v);
}

Result<void> Executor::run() {
  State& s = *state_;
  TRY(s.prepare());
  TRY(s.copy_inputs());
  TRY(s.tape->play());
  TRY(s.check_comms());
  return s.copy_outputs();
}

const Plan& Executor::plan() const {
  return state_->plan;
}

Result<std::vector<OpTiming>> Executor::profile() {
  State& s = *state_;
  TRY(s.prepare());
  TRY(s.copy_inputs());
  const std::vector<double> seconds = TRY(s.tape->play_timed());
  std::map<std::string, OpTiming, std::less<>> by_op;
  for (size_t i = 0; i < seconds.size(); ++i) {
    const PlanStep& step = s.plan.steps[i];
    const std::string name(s.plan.graph.nodes()[static_cast<size_t>(step.node)].op->name());
    OpTiming& sum = by_op[name];
    sum.op = name;
    sum.seconds += seconds[i];
    sum.n_calls += 1;
    sum.flops += step.cost.flops;
    sum.bytes += step.cost.bytes_read + step.cost.bytes_written;
  }
  std::vector<OpTiming> out;
  for (auto& [name, timing] : by_op) out.push_back(std::move(timing));
  return out;
}

Result<Bindings> place_on(Backend& backend, const Bindings& host, std::vector<Buffer>& keep) {
  if (backend.is_host_memory()) return host;
  Bindings out;
  for (const auto& [name, tensor] : host) {
    keep.push_back(TRY_WITH(backend.allocate(tensor.type.bytes()), "while placing \"{}\" on {}", name, backend.name()));
    TRY(backend.write(keep.back().data(), tensor.data, tensor.type.bytes()));
    out[name] = {tensor.type, keep.back().data()};
  }
  return out;
}

}  // namespace hearth
