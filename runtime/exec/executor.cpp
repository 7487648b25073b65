// Pointers resolved once, and again only when the arena moved; run() only plays the tape.
#include "runtime/exec/executor.h"

#include <cstring>

#include "base/check.h"

namespace hearth {
namespace {

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
    if (plan.places[id].where == ValuePlace::Where::bound)
      values[id].data = TRY(find_binding(plan.graph.info({plan.places[id].root}), bindings)).data;
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
    if (plan.places[id].where == ValuePlace::Where::arena) values[id].data = arena.data() + plan.places[id].offset;
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
  std::vector<Call> calls;
  for (const PlanStep& step : plan.steps) {
    const Node& node = plan.graph.nodes()[static_cast<size_t>(step.node)];
    KernelArgs args;
    args.op = node.op.get();
    args.inputs = append(node.inputs);
    args.outputs = append(node.outputs);
    if (const auto comm = comms.find(args.op->mesh()); comm != comms.end()) args.comm = comm->second;
    args.scratch = step.kernel.scratch_bytes > 0 ? arena.data() + step.scratch_offset : nullptr;
    calls.push_back({.run = step.kernel.run != nullptr ? step.kernel.run : run_on_one_thread,
                     .args = args,
                     .waits = step.waits,
                     .flops = step.cost.flops,
                     .bytes = step.cost.bytes_read + step.cost.bytes_written,
                     .scratch_bytes = step.kernel.scratch_bytes,
                     .written_inputs = node.op->mutated_inputs(),
                     .lane = step.lane,
                     .waits_for = step.waits_for});
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

Result<Bindings> place_on(Backend& backend, const Bindings& host, std::vector<Buffer>& keep,
                          const std::set<std::string>& fetched) {
  if (backend.is_host_memory()) return host;
  Bindings out;
  for (const auto& [name, tensor] : host) {
    const int64_t bytes = tensor.type.bytes();
    const bool stays = fetched.contains(name);
    keep.push_back(TRY_WITH(stays ? backend.allocate_on_host(bytes) : backend.allocate(bytes),
                            "while placing \"{}\" {} {}", name, stays ? "on the host for" : "on", backend.name()));
    if (stays && bytes > 0) std::memcpy(keep.back().data(), tensor.data, static_cast<size_t>(bytes));
    if (!stays) TRY(backend.write(keep.back().data(), tensor.data, bytes));
    out[name] = {tensor.type, keep.back().data()};
  }
  return out;
}

}  // namespace hearth
