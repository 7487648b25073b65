// swiglu_clamped and its backward, CUDA
// math:     y = g σ(αg) (u + o), g = min(gate, limit), u = clamp(up, ±limit);  du = dy g s, dg = dy (u + o) (s + αg
//           s(1-s))
// shapes:   all f32 or all bf16, of one shape
// traffic:  12 B (backward 20 B) an element: memory bound
// mapping:  one thread an element
// needs:    nothing
// numerics: scalar.h's sigmoid, expf
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/swiglu_clamped/swiglu_clamped.h"

namespace hearth::HEARTH_GPU {
namespace {

template <class A>
__global__ void forward_kernel(ClampedSwiglu form, const A* gate, const A* up, A* y, int64_t n) {
  const int64_t i = thread_index();
  if (i >= n) return;
  const float g = fminf(gate[i], form.limit), u = fmaxf(fminf(up[i], form.limit), -form.limit);
  y[i] = (u + form.offset) * g * sigmoid(form.alpha * g);
}

template <class A>
__global__ void backward_kernel(ClampedSwiglu form, const A* gate, const A* up, const A* dy, A* dgate, A* dup,
                                int64_t n) {
  const int64_t i = thread_index();
  if (i >= n) return;
  const float g = fminf(gate[i], form.limit), u = fmaxf(fminf(up[i], form.limit), -form.limit);
  const float s = sigmoid(form.alpha * g);
  dgate[i] = gate[i] > form.limit ? 0 : dy[i] * (u + form.offset) * (s + form.alpha * g * s * (1 - s));
  dup[i] = fabsf(up[i]) > form.limit ? 0 : dy[i] * g * s;
}

void launch_forward(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements();
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<forward_kernel<A>>(blocks_for(n), kBlock, 0, stream_of(me),
                                     static_cast<const SwigluClamped&>(*args.op).form, args.inputs[0].as<A>(),
                                     args.inputs[1].as<A>(), args.outputs[0].as<A>(), n);
  });
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.outputs[0].shape().n_elements();
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<backward_kernel<A>>(blocks_for(n), kBlock, 0, stream_of(me),
                                      static_cast<const SwigluClampedBackward&>(*args.op).form, args.inputs[0].as<A>(),
                                      args.inputs[1].as<A>(), args.inputs[2].as<A>(), args.outputs[0].as<A>(),
                                      args.outputs[1].as<A>(), n);
  });
}

}  // namespace

template <>
Kernel kernel_for(const SwigluClamped&, Types) {
  return {launch_forward};
}
template <>
Kernel kernel_for(const SwigluClampedBackward&, Types) {
  return {launch_backward};
}

}  // namespace hearth::HEARTH_GPU
