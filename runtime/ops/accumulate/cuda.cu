// accumulate, CUDA
// math:     sum' = sum + x, or x where keep is 0
// shapes:   sum, x f32 of one shape, keep [1]
// traffic:  12 B an element: memory bound
// mapping:  one thread an element
// needs:    nothing; sum' may be sum
// numerics: exact per element
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/accumulate/accumulate.h"

namespace hearth::HEARTH_GPU {
namespace {

__global__ void accumulate_kernel(const float* sum, const float* x, const float* keep, float* out, int64_t n) {
  const int64_t i = thread_index();
  if (i < n) out[i] = *keep != 0 ? sum[i] + x[i] : x[i];
}

void launch(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements();
  launch_kernel<accumulate_kernel>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].f32(), args.inputs[1].f32(),
                                   args.inputs[2].f32(), args.outputs[0].f32(), n);
}

}  // namespace

template <>
Kernel kernel_for(const Accumulate&, Types) {
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
