// swiglu_clamped and its backward, CUDA
// math:     y = g σ(αg) (u + o), g = min(gate, limit), u = clamp(up, ±limit);  du = dy g s, dg = dy (u + o) (s + αg
//           s(1-s))
// shapes:   all f32 of one shape
// traffic:  12 B (backward 20 B) an element: memory bound
// mapping:  one thread an element
// needs:    nothing
// numerics: scalar.h's sigmoid, expf
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/swiglu_clamped/swiglu_clamped.h"

namespace hearth {
namespace {

__global__ void forward_kernel(ClampedSwiglu form, const float* gate, const float* up, float* y, int64_t n) {
  const int64_t i = cuda::thread_index();
  if (i >= n) return;
  const float g = fminf(gate[i], form.limit), u = fmaxf(fminf(up[i], form.limit), -form.limit);
  y[i] = (u + form.offset) * g * sigmoid(form.alpha * g);
}

__global__ void backward_kernel(ClampedSwiglu form, const float* gate, const float* up, const float* dy, float* dgate,
                                float* dup, int64_t n) {
  const int64_t i = cuda::thread_index();
  if (i >= n) return;
  const float g = fminf(gate[i], form.limit), u = fmaxf(fminf(up[i], form.limit), -form.limit);
  const float s = sigmoid(form.alpha * g);
  dgate[i] = gate[i] > form.limit ? 0 : dy[i] * (u + form.offset) * (s + form.alpha * g * s * (1 - s));
  dup[i] = fabsf(up[i]) > form.limit ? 0 : dy[i] * g * s;
}

void launch_forward(const KernelArgs& args, void* stream) {
  const int64_t n = args.outputs[0].shape().n_elements();
  forward_kernel<<<cuda::blocks_for(n), cuda::kBlock, 0, cuda::stream_of(stream)>>>(
      static_cast<const SwigluClamped&>(*args.op).form, args.inputs[0].f32(), args.inputs[1].f32(),
      args.outputs[0].f32(), n);
}

void launch_backward(const KernelArgs& args, void* stream) {
  const int64_t n = args.outputs[0].shape().n_elements();
  backward_kernel<<<cuda::blocks_for(n), cuda::kBlock, 0, cuda::stream_of(stream)>>>(
      static_cast<const SwigluClampedBackward&>(*args.op).form, args.inputs[0].f32(), args.inputs[1].f32(),
      args.inputs[2].f32(), args.outputs[0].f32(), args.outputs[1].f32(), n);
}

}  // namespace

CudaKernel SwigluClamped::cuda_kernel(Types) const {
  return {launch_forward};
}
CudaKernel SwigluClampedBackward::cuda_kernel(Types) const {
  return {launch_backward};
}

}  // namespace hearth
