// What a backend provides for an op: a function over resolved pointers. Chosen once when a plan is lowered.
#pragma once

#include <cstddef>
#include <span>

#include "runtime/exec/worker.h"
#include "runtime/tensor/tensor.h"

namespace hearth {

class Op;

struct KernelArgs {
  const Op* op = nullptr;  // attributes: a kernel casts it to its own op class
  std::span<const TensorView> inputs;
  std::span<const TensorView> outputs;
  std::byte* scratch = nullptr;  // scratch_bytes, 64-byte aligned, shared by the team, undefined content
};

// SPMD on the CPU: called by every thread of the team. Outputs may be read after the kernel returns on all threads
// (the executor puts a barrier between steps). Results for given shapes must not depend on the number of threads.
struct CpuKernel {
  void (*run)(const KernelArgs&,
              const Worker&) = nullptr;  // nullptr: this backend declines; the reference runs instead
  size_t scratch_bytes = 0;
};

// Launches on a CUDA stream (a cudaStream_t, void* here so that host code needs no CUDA header).
struct CudaKernel {
  void (*launch)(const KernelArgs&, void* stream) = nullptr;
  size_t scratch_bytes = 0;
};

}  // namespace hearth
