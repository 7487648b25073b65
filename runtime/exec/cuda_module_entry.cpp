// What libhearth-cuda.so exports.
#include "runtime/backend/cuda/cuda_backend.h"
#include "runtime/backend/cuda/module.h"
#include "runtime/ops/cuda_kernels.h"

extern "C" __attribute__((visibility("default"))) const hearth::CudaModule* hearth_cuda_module() {
  static const hearth::CudaModule module{
      HEARTH_VERSION, hearth::n_cuda_devices, [](int device, hearth::Dtype activations) {
        return hearth::CudaBackend::create(hearth::cuda::kernels(), device, activations);
      }};
  return &module;
}
