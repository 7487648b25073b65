// log_sigmoid, CUDA
// math:     y = -log(1 + e^-x)
// shapes:   x, y f32 of one shape
// traffic:  8 B an element; losses have few elements, so this is no part of a step's time
// mapping:  one thread an element
// needs:    nothing
// numerics: scalar.h's softplus: exact to rounding on both sides
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/log_sigmoid/log_sigmoid.h"

namespace hearth::HEARTH_GPU {
namespace {

__global__ void log_sigmoid_kernel(const float* x, float* y, int64_t n) {
  const int64_t i = thread_index();
  if (i < n) y[i] = -softplus(-x[i]);
}

void launch(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements();
  launch_kernel<log_sigmoid_kernel>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].f32(),
                                    args.outputs[0].f32(), n);
}

}  // namespace

template <>
Kernel kernel_for(const LogSigmoid&, Types) {
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
