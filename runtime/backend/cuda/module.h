// CUDA's backend and kernels as a library of their own, libhearth-cuda.so, that is looked for when a program runs: so
// no program needs CUDA, and a package of its own can bring it.
#pragma once

#include "runtime/backend/backend.h"

namespace hearth {

struct CudaModule {
  const char* version;  // of Hearth; another one's is not used
  int (*n_devices)();   // that this process can use; 0 when there is no driver
  Result<std::unique_ptr<Backend>> (*open)(int device, Dtype activations);
};

// What the library exports: extern "C" const CudaModule* hearth_cuda_module().
inline constexpr const char* kCudaModuleEntry = "hearth_cuda_module";

// Looked for beside the program (../lib/hearth, and where a build puts it), once. failed_precondition: it is not
// installed, cannot be loaded (for want of a CUDA library, for instance), or is another version's.
Result<const CudaModule*> cuda_module();

}  // namespace hearth
