// clamp and its backward, CUDA
// math:     y = min(max(x, low), high);  dx = dy [low <= x <= high]
// shapes:   all f32 of one shape
// traffic:  8 B (backward 12 B) an element: memory bound
// mapping:  one thread an element
// needs:    nothing
// numerics: exact; what is not a number stays so
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/clamp/clamp.h"

namespace hearth::HEARTH_GPU {
namespace {

__global__ void clamp_kernel(const float* x, float* y, float low, float high, int64_t n) {
  const int64_t i = thread_index();
  if (i < n) y[i] = x[i] < low ? low : x[i] > high ? high : x[i];
}

__global__ void clamp_backward_kernel(const float* x, const float* dy, float* dx, float low, float high, int64_t n) {
  const int64_t i = thread_index();
  if (i < n) dx[i] = x[i] >= low && x[i] <= high ? dy[i] : 0.0f;
}

void launch_forward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const Clamp&>(*args.op);
  const int64_t n = args.outputs[0].shape().n_elements();
  launch_kernel<clamp_kernel>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].f32(), args.outputs[0].f32(),
                              op.low, op.high, n);
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const ClampBackward&>(*args.op);
  const int64_t n = args.outputs[0].shape().n_elements();
  launch_kernel<clamp_backward_kernel>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].f32(),
                                       args.inputs[1].f32(), args.outputs[0].f32(), op.low, op.high, n);
}

}  // namespace

template <>
Kernel kernel_for(const Clamp&, Types) {
  return {launch_forward};
}
template <>
Kernel kernel_for(const ClampBackward&, Types) {
  return {launch_backward};
}

}  // namespace hearth::HEARTH_GPU
