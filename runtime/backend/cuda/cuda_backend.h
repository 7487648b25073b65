// An NVIDIA GPU as a backend. A part of libhearth-cuda.so (module.h). A tape's calls are launched one by one the first
// time it is played; from the second time on they are one captured CUDA graph. Not thread-safe.
#pragma once

#include <array>

#include "runtime/backend/backend.h"

namespace hearth {

namespace cuda {
struct Queue;
}

int n_cuda_devices();  // that this process can use; 0 when there is no driver

class CudaBackend final : public Backend {
 public:
  // failed_precondition: no such GPU, or no driver.
  static Result<std::unique_ptr<Backend>> create(KernelTable kernels, int device, Dtype activations);
  ~CudaBackend() override;

  std::string name() const override;
  const KernelTable& kernels() const override { return kernels_; }
  Dtype activations() const override { return activations_; }
  bool is_host_memory() const override { return false; }
  Result<Buffer> allocate(int64_t bytes) override;
  Result<Buffer> allocate_on_host(int64_t bytes) override;  // pinned
  int64_t free_bytes() const override;
  Result<void> write(std::byte* to, const void* host, int64_t bytes) override;
  Result<void> read(void* host, const std::byte* from, int64_t bytes) override;
  Result<std::unique_ptr<Tape>> record(std::vector<Call> calls) override;

 private:
  using Lanes = std::array<std::unique_ptr<cuda::Queue>, kLanes>;
  CudaBackend(KernelTable kernels, int device, Dtype activations, Lanes lanes);
  KernelTable kernels_;
  int device_;
  Dtype activations_;
  Lanes lanes_;
};

}  // namespace hearth
