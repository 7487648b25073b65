// tanh and its backward, CUDA
// math:     y = tanh(x);  dx = dy (1 - y²)
// shapes:   all f32 of one shape
// traffic:  8 B (backward 12 B) an element: memory bound
// mapping:  one thread an element
// needs:    nothing
// numerics: tanhf
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/tanh/tanh.h"

namespace hearth::HEARTH_GPU {
namespace {

__global__ void tanh_kernel(const float* x, float* y, int64_t n) {
  const int64_t i = thread_index();
  if (i < n) y[i] = tanhf(x[i]);
}

__global__ void tanh_backward_kernel(const float* y, const float* dy, float* dx, int64_t n) {
  const int64_t i = thread_index();
  if (i < n) dx[i] = dy[i] * (1.0f - y[i] * y[i]);
}

void launch_forward(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements();
  launch_kernel<tanh_kernel>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].f32(), args.outputs[0].f32(), n);
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements();
  launch_kernel<tanh_backward_kernel>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].f32(),
                                      args.inputs[1].f32(), args.outputs[0].f32(), n);
}

}  // namespace

template <>
Kernel kernel_for(const Tanh&, Types) {
  return {launch_forward};
}
template <>
Kernel kernel_for(const TanhBackward&, Types) {
  return {launch_backward};
}

}  // namespace hearth::HEARTH_GPU
