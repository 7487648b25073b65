// gelu and its backward, CUDA
// math:     y = x Φ(x);  dx = dy (Φ(x) + x φ(x)), Φ by the error function or by tanh
// shapes:   all f32 or all bf16, of one shape
// traffic:  8 B (backward 12 B) an element: memory bound
// mapping:  one thread an element
// needs:    nothing
// numerics: scalar.h's gelu
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/gelu/gelu.h"

namespace hearth::HEARTH_GPU {
namespace {

template <class A>
__global__ void gelu_kernel(const A* x, A* y, int64_t n, bool tanh) {
  const int64_t i = thread_index();
  if (i < n) y[i] = tanh ? gelu_tanh(x[i]) : gelu(x[i]);
}

template <class A>
__global__ void gelu_backward_kernel(const A* x, const A* dy, A* dx, int64_t n, bool tanh) {
  const int64_t i = thread_index();
  if (i < n) dx[i] = dy[i] * (tanh ? gelu_tanh_derivative(x[i]) : gelu_derivative(x[i]));
}

void launch_forward(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements();
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<gelu_kernel<A>>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                  args.outputs[0].as<A>(), n, static_cast<const Gelu&>(*args.op).tanh);
  });
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements();
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<gelu_backward_kernel<A>>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                           args.inputs[1].as<A>(), args.outputs[0].as<A>(), n,
                                           static_cast<const GeluBackward&>(*args.op).tanh);
  });
}

}  // namespace

template <>
Kernel kernel_for(const Gelu&, Types) {
  return {launch_forward};
}
template <>
Kernel kernel_for(const GeluBackward&, Types) {
  return {launch_backward};
}

}  // namespace hearth::HEARTH_GPU
