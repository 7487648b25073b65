// Runs a plan for CUDA on one GPU. Only in builds with HEARTH_CUDA.
//
//   CudaExecutor e = TRY(CudaExecutor::create(TRY(make_cuda_plan(graph)), device_bindings));
//   TRY(e.write_input("tokens", tokens)); TRY(e.run()); TRY(e.read_output(0, logits));
//
// The first run launches the steps one by one; from the second on they are one captured CUDA graph. Not thread-safe.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "runtime/plan/plan.h"

namespace hearth {

// GPUs that this process can use; 0 when there is no driver.
int n_cuda_devices();

// Owns device memory.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  // resource_exhausted when the GPU has not that much left.
  static Result<DeviceBuffer> allocate(int64_t bytes);
  static Result<DeviceBuffer> copy_of(const TensorView& host);
  std::byte* data() const { return data_.get(); }
  Result<void> write(const void* host, int64_t bytes);
  Result<void> read(void* host, int64_t bytes) const;

 private:
  struct Free {
    void operator()(std::byte* p) const;
  };
  std::unique_ptr<std::byte, Free> data_;
};

// Parameters and states by name: types, and pointers into device memory that outlives the executor.
using DeviceBindings = std::map<std::string, TensorView, std::less<>>;

class CudaExecutor {
 public:
  // Allocates the plan's working memory on the current device. Errors: unbound or wrongly typed names; device memory.
  static Result<CudaExecutor> create(Plan plan, const DeviceBindings& bindings);
  CudaExecutor(CudaExecutor&&) noexcept;
  CudaExecutor& operator=(CudaExecutor&&) noexcept;
  ~CudaExecutor();

  // Copies a whole tensor of the input's type from host memory. not_found: no such input.
  Result<void> write_input(std::string_view name, const void* host);
  // Returns when the GPU is done. internal: what CUDA said, after which step.
  Result<void> run();
  Result<void> read_output(size_t index, void* host) const;
  const Plan& plan() const;

 private:
  struct State;
  explicit CudaExecutor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hearth
