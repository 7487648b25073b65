// CUDA's backend and kernels as a library of their own, libhearth-cuda.so, that is looked for when a program runs: so
// no program needs CUDA, and a package of its own can bring it.
#pragma once

#include "runtime/backend/backend.h"

namespace hearth {

struct CudaModule {
  const char* version;  // of Hearth; another one's is not used
  int (*n_devices)();   // that this process can use; 0 when there is no driver
  Result<std::unique_ptr<Backend>> (*open)(int device);
};

// What the library exports: extern "C" const CudaModule* hearth_cuda_module().
inline constexpr const char* kCudaModuleEntry = "hearth_cuda_module";

// Looked for beside the program (../lib/hearth, and where a build puts it), once. not_found: it is not installed;
// failed_precondition: it cannot be loaded, for instance for want of a CUDA library, or is another version's.
Result<const CudaModule*> cuda_module();

}  // namespace hearth
