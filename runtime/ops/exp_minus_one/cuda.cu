// exp_minus_one, CUDA
// math:     y = e^x - 1
// shapes:   x, y f32 of one shape
// traffic:  8 B an element; losses have few elements, so this is no part of a step's time
// mapping:  one thread an element
// needs:    nothing
// numerics: libm's expm1, exact to rounding for small x
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/exp_minus_one/exp_minus_one.h"

namespace hearth::HEARTH_GPU {
namespace {

__global__ void exp_minus_one_kernel(const float* x, float* y, int64_t n) {
  const int64_t i = thread_index();
  if (i < n) y[i] = expm1f(x[i]);
}

void launch(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements();
  launch_kernel<exp_minus_one_kernel>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].f32(),
                                      args.outputs[0].f32(), n);
}

}  // namespace

template <>
Kernel kernel_for(const ExpMinusOne&, Types) {
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
