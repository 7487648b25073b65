// scale, CUDA
// math:     y = factor * x
// shapes:   x, y f32 of one shape
// traffic:  8 B and 1 flop an element: memory bound
// mapping:  one thread an element
// needs:    nothing
// numerics: exact per element
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/scale/scale.h"

namespace hearth {
namespace {

__global__ void scale_kernel(const float* x, float factor, float* y, int64_t n) {
  const int64_t i = cuda::thread_index();
  if (i < n) y[i] = x[i] * factor;
}

void launch(const KernelArgs& args, void* stream) {
  const int64_t n = args.outputs[0].shape().n_elements();
  scale_kernel<<<cuda::blocks_for(n), cuda::kBlock, 0, cuda::stream_of(stream)>>>(
      args.inputs[0].f32(), static_cast<const Scale&>(*args.op).factor, args.outputs[0].f32(), n);
}

}  // namespace

CudaKernel Scale::cuda_kernel(Types) const {
  return {launch};
}

}  // namespace hearth
