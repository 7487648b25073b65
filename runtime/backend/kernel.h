// What a backend provides for an op: a function over resolved pointers. Chosen once when a plan is lowered.
#pragma once

#include <cstddef>
#include <span>

#include "runtime/backend/worker.h"
#include "runtime/tensor/tensor.h"

namespace hearth {

class Communicator;
class Op;

struct KernelArgs {
  const Op* op = nullptr;  // attributes: a kernel casts it to its own op class
  std::span<const TensorView> inputs;
  std::span<const TensorView> outputs;
  std::byte* scratch = nullptr;  // scratch_bytes, 64-byte aligned, shared by the team, undefined content
  Communicator* comm = nullptr;  // of the mesh axis that the op names
};

// On the CPU it is called by every thread of the team (SPMD): outputs may be read after it returned on all threads, and
// results for given shapes must not depend on the number of threads. On a GPU it is called by one thread, and launches.
struct Kernel {
  void (*run)(const KernelArgs&, const Worker&) = nullptr;  // nullptr: the backend declines these operands
  size_t scratch_bytes = 0;
};

}  // namespace hearth
