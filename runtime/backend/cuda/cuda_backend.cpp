// Device memory, a stream for each lane, and tapes as captured graphs.
#include "runtime/backend/cuda/cuda_backend.h"

#include <cstring>
#include <span>

#include "runtime/backend/cuda/queue.h"

namespace hearth {
namespace {

// CUDA would else tell the same error again, of a call that has nothing to do with it.
Result<void> check(cudaError_t status, std::string_view what) {
  if (status == cudaSuccess) return {};
  cudaGetLastError();
  const Code code = status == cudaErrorMemoryAllocation ? Code::resource_exhausted : Code::internal;
  return error(code, "CUDA: {} failed: {}", what, cudaGetErrorString(status));
}

// Marks places in streams that others wait for.
class Events {
 public:
  Events() = default;
  Events(const Events&) = delete;
  ~Events() {
    for (cudaEvent_t event : events_) cudaEventDestroy(event);
  }
  Result<void> make(size_t n) {
    while (events_.size() < n) {
      cudaEvent_t event = nullptr;
      TRY(check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "creating an event"));
      events_.push_back(event);
    }
    return {};
  }
  Result<void> record(size_t event, cudaStream_t stream) const {
    return check(cudaEventRecord(events_[event], stream), "recording an event");
  }
  Result<void> wait(size_t event, cudaStream_t stream) const {
    return check(cudaStreamWaitEvent(stream, events_[event], 0), "waiting for an event");
  }

 private:
  std::vector<cudaEvent_t> events_;
};

class CudaTape final : public Tape {
 public:
  CudaTape(std::vector<Call> calls, int device, std::span<const std::unique_ptr<cuda::Queue>, kLanes> lanes)
      : calls_(std::move(calls)),
        device_(device),
        lanes_(lanes),
        stream_(lanes[0]->stream),
        event_of_(calls_.size(), -1) {
    for (const Call& call : calls_) {
      has_copies_ |= call.lane == Lane::copy;
      if (call.waits_for < 0) continue;
      if (int& event = event_of_[static_cast<size_t>(call.waits_for)]; event < 0) event = n_events_++;
    }
  }
  ~CudaTape() override {
    if (graph_ != nullptr) cudaGraphExecDestroy(graph_);
  }

  Result<void> play() override {
    TRY(check(cudaSetDevice(device_), "choosing the GPU"));
    if (!has_played_) {
      if (auto launched = launch_all(); !launched) {  // it also lets libraries allocate, which a capture forbids
        for (const auto& lane : lanes_) cudaStreamSynchronize(lane->stream);  // nothing is left on its way
        return launched;
      }
      has_played_ = true;
    } else {
      if (graph_ == nullptr) TRY(capture());
      TRY(check(cudaGraphLaunch(graph_, stream_), "launching the captured graph"));
    }
    return check(cudaStreamSynchronize(stream_), "running the plan");
  }

  Result<std::vector<double>> play_timed() override {
    TRY(check(cudaSetDevice(device_), "choosing the GPU"));
    return run_timed(calls_, [this](const Call& call) -> Result<void> {
      TRY(launch(call));
      return check(cudaStreamSynchronize(queue_of(call).stream), "running one call");
    });
  }

 private:
  cuda::Queue& queue_of(const Call& call) const { return *lanes_[static_cast<size_t>(call.lane)]; }
  Result<void> launch(const Call& call) const {
    cuda::Queue& queue = queue_of(call);
    Worker me;
    me.queue = &queue;
    call.run(call.args, me);
    TRY(check(cudaGetLastError(), "launching a kernel"));
    return queue.take_result();
  }
  // The lane of copies begins and ends with the other: as a capture of both streams has to.
  Result<void> launch_all() {
    const auto fork = static_cast<size_t>(n_events_), join = fork + 1;
    const cudaStream_t copies = lanes_[static_cast<size_t>(Lane::copy)]->stream;
    TRY(events_.make(join + 1));
    if (has_copies_) {
      TRY(events_.record(fork, stream_));
      TRY(events_.wait(fork, copies));
    }
    for (size_t c = 0; c < calls_.size(); ++c) TRY(launch_in_order(c));
    if (has_copies_) {
      TRY(events_.record(join, copies));
      TRY(events_.wait(join, stream_));
    }
    return {};
  }
  Result<void> launch_in_order(size_t c) {
    const Call& call = calls_[c];
    if (call.waits_for >= 0)
      TRY(events_.wait(static_cast<size_t>(event_of_[static_cast<size_t>(call.waits_for)]), queue_of(call).stream));
    TRY(launch(call));
    if (event_of_[c] >= 0) TRY(events_.record(static_cast<size_t>(event_of_[c]), queue_of(call).stream));
    return {};
  }
  Result<void> capture() {
    TRY(check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "starting a graph capture"));
    const Result<void> launched = launch_all();
    cudaGraph_t captured = nullptr;
    const cudaError_t ended = cudaStreamEndCapture(stream_, &captured);
    const cudaError_t made = launched && ended == cudaSuccess ? cudaGraphInstantiate(&graph_, captured, 0) : ended;
    if (captured != nullptr) cudaGraphDestroy(captured);
    TRY(launched);
    TRY(check(ended, "capturing the steps"));
    return check(made, "instantiating the captured graph");
  }

  const std::vector<Call> calls_;
  const int device_;
  const std::span<const std::unique_ptr<cuda::Queue>, kLanes> lanes_;
  const cudaStream_t stream_;  // of kernels
  std::vector<int> event_of_;  // by call: what is recorded after it, where another waits for it; else -1
  int n_events_ = 0;
  bool has_copies_ = false;
  Events events_;
  cudaGraphExec_t graph_ = nullptr;
  bool has_played_ = false;
};

}  // namespace

int n_cuda_devices() {
  int n = 0;
  return cudaGetDeviceCount(&n) == cudaSuccess ? n : 0;
}

Result<std::unique_ptr<Backend>> CudaBackend::create(KernelTable kernels, int device, Dtype activations) {
  const int n = n_cuda_devices();
  if (n == 0) return error(Code::failed_precondition, "no usable NVIDIA GPU: check `nvidia-smi` and the driver");
  if (device >= n) return error(Code::failed_precondition, "there is no cuda:{}: this box has {} GPUs", device, n);
  TRY(check(cudaSetDevice(device), "choosing the GPU"));
  Lanes lanes;
  for (std::unique_ptr<cuda::Queue>& queue : lanes) {
    queue = std::make_unique<cuda::Queue>();
    TRY(check(cudaStreamCreateWithFlags(&queue->stream, cudaStreamNonBlocking), "creating a stream"));
  }
  lanes[static_cast<size_t>(Lane::compute)]->blas = TRY(cuda::open_blas());
  return std::unique_ptr<Backend>(new CudaBackend(std::move(kernels), device, activations, std::move(lanes)));
}

CudaBackend::CudaBackend(KernelTable kernels, int device, Dtype activations, Lanes lanes)
    : kernels_(std::move(kernels)), device_(device), activations_(activations), lanes_(std::move(lanes)) {}

CudaBackend::~CudaBackend() = default;

std::string CudaBackend::name() const {
  return "cuda:" + std::to_string(device_) + (activations_ == Dtype::f32 ? ":f32" : "");
}

Result<Buffer> CudaBackend::allocate(int64_t bytes) {
  TRY(check(cudaSetDevice(device_), "choosing the GPU"));
  void* data = nullptr;
  const auto size = static_cast<size_t>(bytes > 0 ? bytes : 1);
  TRY(check(cudaMalloc(&data, size), fmt::format("allocating {} bytes", bytes)));
  Buffer buffer(static_cast<std::byte*>(data), bytes, [](std::byte* memory) { cudaFree(memory); });
  TRY(check(cudaMemset(data, 0, size), "clearing memory"));
  return buffer;
}

Result<Buffer> CudaBackend::allocate_on_host(int64_t bytes) {
  TRY(check(cudaSetDevice(device_), "choosing the GPU"));
  void* data = nullptr;
  const auto size = static_cast<size_t>(bytes > 0 ? bytes : 1);
  TRY(check(cudaHostAlloc(&data, size, cudaHostAllocDefault),
            fmt::format("pinning {} bytes of the host's memory", bytes)));
  std::memset(data, 0, size);
  return Buffer(static_cast<std::byte*>(data), bytes, [](std::byte* memory) { cudaFreeHost(memory); });
}

int64_t CudaBackend::free_bytes() const {
  size_t free = 0, all = 0;
  const bool is_known = cudaSetDevice(device_) == cudaSuccess && cudaMemGetInfo(&free, &all) == cudaSuccess;
  return is_known ? static_cast<int64_t>(free) : 0;
}

Result<void> CudaBackend::write(std::byte* to, const void* host, int64_t bytes) {
  TRY(check(cudaSetDevice(device_), "choosing the GPU"));
  return check(cudaMemcpy(to, host, static_cast<size_t>(bytes), cudaMemcpyHostToDevice), "copying to the GPU");
}

Result<void> CudaBackend::read(void* host, const std::byte* from, int64_t bytes) {
  TRY(check(cudaSetDevice(device_), "choosing the GPU"));
  return check(cudaMemcpy(host, from, static_cast<size_t>(bytes), cudaMemcpyDeviceToHost), "copying from the GPU");
}

Result<std::unique_ptr<Tape>> CudaBackend::record(std::vector<Call> calls) {
  return std::unique_ptr<Tape>(std::make_unique<CudaTape>(std::move(calls), device_, lanes_));
}

}  // namespace hearth
