// swiglu and its backward, CUDA
// math:     y = g σ(g) u;  du = dy g σ(g);  dg = dy u σ(g) (1 + g (1 - σ(g)))
// shapes:   all f32 of one shape
// traffic:  12 B (backward 20 B) an element: memory bound
// mapping:  one thread an element
// needs:    nothing
// numerics: scalar.h's silu, expf
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/swiglu/swiglu.h"

namespace hearth::HEARTH_GPU {
namespace {

__global__ void swiglu_kernel(const float* gate, const float* up, float* y, int64_t n) {
  const int64_t i = thread_index();
  if (i < n) y[i] = silu(gate[i]) * up[i];
}

__global__ void swiglu_backward_kernel(const float* gate, const float* up, const float* dy, float* dgate, float* dup,
                                       int64_t n) {
  const int64_t i = thread_index();
  if (i >= n) return;
  dgate[i] = dy[i] * up[i] * silu_derivative(gate[i]);
  dup[i] = dy[i] * silu(gate[i]);
}

void launch_forward(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements();
  launch_kernel<swiglu_kernel>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].f32(), args.inputs[1].f32(),
                               args.outputs[0].f32(), n);
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements();
  launch_kernel<swiglu_backward_kernel>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].f32(),
                                        args.inputs[1].f32(), args.inputs[2].f32(), args.outputs[0].f32(),
                                        args.outputs[1].f32(), n);
}

}  // namespace

template <>
Kernel kernel_for(const Swiglu&, Types) {
  return {launch_forward};
}
template <>
Kernel kernel_for(const SwigluBackward&, Types) {
  return {launch_backward};
}

}  // namespace hearth::HEARTH_GPU
