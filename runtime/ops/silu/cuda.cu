// silu and its backward, CUDA
// math:     y = x σ(x);  dx = dy σ(x) (1 + x (1 - σ(x)))
// shapes:   all f32 or all bf16, of one shape
// traffic:  8 B (backward 12 B) an element: memory bound
// mapping:  one thread an element
// needs:    nothing
// numerics: scalar.h's silu, expf
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/silu/silu.h"

namespace hearth::HEARTH_GPU {
namespace {

template <class A>
__global__ void silu_kernel(const A* x, A* y, int64_t n) {
  const int64_t i = thread_index();
  if (i < n) y[i] = silu(x[i]);
}

template <class A>
__global__ void silu_backward_kernel(const A* x, const A* dy, A* dx, int64_t n) {
  const int64_t i = thread_index();
  if (i < n) dx[i] = dy[i] * silu_derivative(x[i]);
}

void launch_forward(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements();
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<silu_kernel<A>>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                  args.outputs[0].as<A>(), n);
  });
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements();
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<silu_backward_kernel<A>>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                           args.inputs[1].as<A>(), args.outputs[0].as<A>(), n);
  });
}

}  // namespace

template <>
Kernel kernel_for(const Silu&, Types) {
  return {launch_forward};
}
template <>
Kernel kernel_for(const SiluBackward&, Types) {
  return {launch_backward};
}

}  // namespace hearth::HEARTH_GPU
