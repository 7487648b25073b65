// Device memory, a stream, and the steps as a captured graph.
#include "runtime/exec/cuda_executor.h"

#include <cuda_runtime.h>

#include "base/check.h"

namespace hearth {
namespace {

Result<void> check(cudaError_t status, std::string_view what) {
  if (status == cudaSuccess) return {};
  const Code code = status == cudaErrorMemoryAllocation ? Code::resource_exhausted : Code::internal;
  return error(code, "CUDA: {} failed: {}", what, cudaGetErrorString(status));
}

}  // namespace

int n_cuda_devices() {
  int n = 0;
  return cudaGetDeviceCount(&n) == cudaSuccess ? n : 0;
}

void DeviceBuffer::Free::operator()(std::byte* p) const {
  cudaFree(p);
}

Result<DeviceBuffer> DeviceBuffer::allocate(int64_t bytes) {
  void* data = nullptr;
  TRY(check(cudaMalloc(&data, static_cast<size_t>(bytes > 0 ? bytes : 1)), fmt::format("allocating {} bytes", bytes)));
  DeviceBuffer buffer;
  buffer.data_.reset(static_cast<std::byte*>(data));
  return buffer;
}

Result<DeviceBuffer> DeviceBuffer::copy_of(const TensorView& host) {
  DeviceBuffer buffer = TRY(allocate(host.type.bytes()));
  TRY(buffer.write(host.data, host.type.bytes()));
  return buffer;
}

Result<void> DeviceBuffer::write(const void* host, int64_t bytes) {
  return check(cudaMemcpy(data(), host, static_cast<size_t>(bytes), cudaMemcpyHostToDevice), "copying to the GPU");
}

Result<void> DeviceBuffer::read(void* host, int64_t bytes) const {
  return check(cudaMemcpy(host, data(), static_cast<size_t>(bytes), cudaMemcpyDeviceToHost), "copying from the GPU");
}

struct CudaExecutor::State {
  explicit State(Plan p) : plan(std::move(p)) {}
  ~State() {
    if (graph != nullptr) cudaGraphExecDestroy(graph);
    if (stream != nullptr) cudaStreamDestroy(stream);
  }

  struct Step {
    void (*launch)(const KernelArgs&, void* stream);
    KernelArgs args;
  };

  TensorView view(Value v) const { return values[static_cast<size_t>(v.id)]; }
  Result<void> bind(const DeviceBindings& bindings);
  void resolve_steps();
  Result<void> launch_steps() const;
  Result<void> capture();

  Plan plan;
  DeviceBuffer arena;
  cudaStream_t stream = nullptr;
  cudaGraphExec_t graph = nullptr;
  bool has_run = false;
  std::vector<TensorView> values;    // by value id, device pointers
  std::vector<TensorView> operands;  // of all steps
  std::vector<Step> steps;
};

Result<void> CudaExecutor::State::bind(const DeviceBindings& bindings) {
  values.resize(plan.graph.values().size());
  for (size_t id = 0; id < values.size(); ++id) {
    const Placement& placement = plan.placements[id];
    values[id].type = plan.graph.values()[id].type;
    if (placement.where == Placement::Where::arena) {
      values[id].data = arena.data() + placement.offset;
      continue;
    }
    const ValueInfo& info = plan.graph.info({placement.root});
    auto it = bindings.find(info.name);
    if (it == bindings.end()) return error(Code::invalid_argument, "\"{}\" is not bound", info.name);
    if (it->second.type != info.type)
      return error(Code::invalid_argument, "\"{}\" must be {}, got {}", info.name, info.type.to_string(),
                   it->second.type.to_string());
    values[id].data = it->second.data;
  }
  return {};
}

void CudaExecutor::State::resolve_steps() {
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
  for (const PlanStep& step : plan.steps) {
    const Node& node = plan.graph.nodes()[static_cast<size_t>(step.node)];
    KernelArgs args;
    args.op = node.op.get();
    args.inputs = append(node.inputs);
    args.outputs = append(node.outputs);
    args.scratch = arena.data() + step.scratch_offset;
    steps.push_back({step.cuda.launch, args});
  }
}

Result<void> CudaExecutor::State::launch_steps() const {
  for (const Step& step : steps) {
    step.launch(step.args, stream);
    TRY(check(cudaGetLastError(), fmt::format("launching {}", step.args.op->name())));
  }
  return {};
}

Result<void> CudaExecutor::State::capture() {
  TRY(check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "starting a graph capture"));
  const Result<void> launched = launch_steps();
  cudaGraph_t captured = nullptr;
  const cudaError_t ended = cudaStreamEndCapture(stream, &captured);
  if (!launched) return launched.error();
  TRY(check(ended, "capturing the steps"));
  const cudaError_t made = cudaGraphInstantiate(&graph, captured, 0);
  cudaGraphDestroy(captured);
  return check(made, "instantiating the captured graph");
}

Result<CudaExecutor> CudaExecutor::create(Plan plan, const DeviceBindings& bindings) {
  if (n_cuda_devices() == 0)
    return error(Code::failed_precondition, "no usable NVIDIA GPU: check `nvidia-smi` and the driver");
  auto state = std::make_unique<State>(std::move(plan));
  state->arena = TRY(DeviceBuffer::allocate(state->plan.arena_bytes));
  TRY(check(cudaStreamCreateWithFlags(&state->stream, cudaStreamNonBlocking), "creating a stream"));
  TRY(state->bind(bindings));
  state->resolve_steps();
  return CudaExecutor(std::move(state));
}

CudaExecutor::CudaExecutor(std::unique_ptr<State> state) : state_(std::move(state)) {}
CudaExecutor::CudaExecutor(CudaExecutor&&) noexcept = default;
CudaExecutor& CudaExecutor::operator=(CudaExecutor&&) noexcept = default;
CudaExecutor::~CudaExecutor() = default;

Result<void> CudaExecutor::write_input(std::string_view name, const void* host) {
  const Value v = state_->plan.graph.find(name);
  if (!v || state_->plan.graph.info(v).kind != ValueKind::input)
    return error(Code::not_found, "the graph has no input \"{}\"", name);
  const TensorView to = state_->view(v);
  return check(
      cudaMemcpyAsync(to.data, host, static_cast<size_t>(to.type.bytes()), cudaMemcpyHostToDevice, state_->stream),
      "copying an input to the GPU");
}

Result<void> CudaExecutor::run() {
  State& s = *state_;
  if (!s.has_run) {
    TRY(s.launch_steps());  // also lets libraries allocate, which a capture forbids
    s.has_run = true;
  } else {
    if (s.graph == nullptr) TRY(s.capture());
    TRY(check(cudaGraphLaunch(s.graph, s.stream), "launching the captured graph"));
  }
  return check(cudaStreamSynchronize(s.stream), "running the plan");
}

Result<void> CudaExecutor::read_output(size_t index, void* host) const {
  CHECK(index < state_->plan.graph.outputs().size());
  const TensorView from = state_->view(state_->plan.graph.outputs()[index]);
  return check(cudaMemcpy(host, from.data, static_cast<size_t>(from.type.bytes()), cudaMemcpyDeviceToHost),
               "copying an output from the GPU");
}

const Plan& CudaExecutor::plan() const {
  return state_->plan;
}

}  // namespace hearth
