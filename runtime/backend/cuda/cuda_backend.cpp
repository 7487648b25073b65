// Device memory, a stream, and tapes as captured graphs.
#include "runtime/backend/cuda/cuda_backend.h"

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

class CudaTape final : public Tape {
 public:
  CudaTape(std::vector<Call> calls, int device, cuda::Queue& queue)
      : calls_(std::move(calls)), device_(device), queue_(queue), stream_(queue.stream) {}
  ~CudaTape() override {
    if (graph_ != nullptr) cudaGraphExecDestroy(graph_);
  }

  Result<void> play() override {
    TRY(check(cudaSetDevice(device_), "choosing the GPU"));
    if (!has_played_) {
      TRY(launch_all());  // also lets libraries allocate, which a capture forbids
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
      return check(cudaStreamSynchronize(stream_), "running one call");
    });
  }

 private:
  Result<void> launch(const Call& call) const {
    Worker me;
    me.queue = &queue_;
    call.run(call.args, me);
    TRY(check(cudaGetLastError(), "launching a kernel"));
    return queue_.take_result();
  }
  Result<void> launch_all() const {
    for (const Call& call : calls_) TRY(launch(call));
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
  cuda::Queue& queue_;
  const cudaStream_t stream_;
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
  auto queue = std::make_unique<cuda::Queue>();
  TRY(check(cudaStreamCreateWithFlags(&queue->stream, cudaStreamNonBlocking), "creating a stream"));
  queue->blas = TRY(cuda::open_blas());
  return std::unique_ptr<Backend>(new CudaBackend(std::move(kernels), device, activations, std::move(queue)));
}

CudaBackend::CudaBackend(KernelTable kernels, int device, Dtype activations, std::unique_ptr<cuda::Queue> queue)
    : kernels_(std::move(kernels)), device_(device), activations_(activations), queue_(std::move(queue)) {}

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
  return std::unique_ptr<Tape>(std::make_unique<CudaTape>(std::move(calls), device_, *queue_));
}

}  // namespace hearth
