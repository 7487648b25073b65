// sigmoid and its backward, CUDA
// math:     y = 1 / (1 + e^-x);  dx = dy y (1 - y)
// shapes:   all f32 or all bf16, of one shape
// traffic:  8 B (backward 12 B) an element: memory bound
// mapping:  one thread an element
// needs:    nothing
// numerics: scalar.h's sigmoid, expf
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/sigmoid/sigmoid.h"

namespace hearth::HEARTH_GPU {
namespace {

template <class A>
__global__ void sigmoid_kernel(const A* x, A* y, int64_t n) {
  const int64_t i = thread_index();
  if (i < n) y[i] = sigmoid(x[i]);
}

template <class A>
__global__ void sigmoid_backward_kernel(const A* y, const A* dy, A* dx, int64_t n) {
  const int64_t i = thread_index();
  if (i < n) dx[i] = dy[i] * y[i] * (1.0f - y[i]);
}

void launch_forward(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements();
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<sigmoid_kernel<A>>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                     args.outputs[0].as<A>(), n);
  });
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements();
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<sigmoid_backward_kernel<A>>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                              args.inputs[1].as<A>(), args.outputs[0].as<A>(), n);
  });
}

}  // namespace

template <>
Kernel kernel_for(const Sigmoid&, Types) {
  return {launch_forward};
}
template <>
Kernel kernel_for(const SigmoidBackward&, Types) {
  return {launch_backward};
}

}  // namespace hearth::HEARTH_GPU
