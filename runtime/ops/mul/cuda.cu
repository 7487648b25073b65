// mul, CUDA
// math:     y = a * b, or y[r,c] = a[r,c] * b[c]
// shapes:   a [..., C] f32, b like a or [C]; y like a
// traffic:  12 B and 1 flop an element: memory bound
// mapping:  one thread an element
// needs:    nothing
// numerics: exact per element
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/mul/mul.h"

namespace hearth::HEARTH_GPU {
namespace {

__global__ void mul_kernel(const float* a, const float* b, float* y, int64_t n, int64_t n_b) {
  const int64_t i = thread_index();
  if (i < n) y[i] = a[i] * b[i % n_b];
}

void launch(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements();
  launch_kernel<mul_kernel>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].f32(), args.inputs[1].f32(),
                            args.outputs[0].f32(), n, args.inputs[1].shape().n_elements());
}

}  // namespace

template <>
Kernel kernel_for(const Mul&, Types) {
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
