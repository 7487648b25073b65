// swiglu and its backward, CUDA
// math:     y = g σ(g) u;  du = dy g σ(g);  dg = dy u σ(g) (1 + g (1 - σ(g)))
// shapes:   all f32 or all bf16, of one shape
// traffic:  12 B (backward 20 B) an element: memory bound
// mapping:  one thread an element
// needs:    nothing
// numerics: scalar.h's silu, expf
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/swiglu/swiglu.h"

namespace hearth::HEARTH_GPU {
namespace {

template <class A>
__global__ void swiglu_kernel(const A* gate, const A* up, A* y, int64_t n) {
  const int64_t i = thread_index();
  if (i < n) y[i] = silu(gate[i]) * up[i];
}

template <class A>
__global__ void swiglu_backward_kernel(const A* gate, const A* up, const A* dy, A* dgate, A* dup, int64_t n) {
  const int64_t i = thread_index();
  if (i >= n) return;
  dgate[i] = dy[i] * up[i] * silu_derivative(gate[i]);
  dup[i] = dy[i] * silu(gate[i]);
}

void launch_forward(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements();
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<swiglu_kernel<A>>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                    args.inputs[1].as<A>(), args.outputs[0].as<A>(), n);
  });
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements();
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<swiglu_backward_kernel<A>>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                             args.inputs[1].as<A>(), args.inputs[2].as<A>(), args.outputs[0].as<A>(),
                                             args.outputs[1].as<A>(), n);
  });
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
