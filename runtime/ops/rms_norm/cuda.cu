// rms_norm and its backward, CUDA
// math:     y = x r w with r[t] = 1 / sqrt(mean_c(x²) + eps)
//           dx = r (w dy - x r² mean_c(w dy x));  dw[c] = Σ_t dy x r
// shapes:   x, dy, y, dx [T,C] f32 or bf16, w, dw [C] f32; scratch [T] f32: r
// traffic:  8 B an element (backward 20 B), ~4 flops: memory bound
// mapping:  one block a row; for dw one thread a column
// needs:    nothing
// numerics: fp32; the mean in a fixed tree; dw in order of t
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/rms_norm/rms_norm.h"

namespace hearth::HEARTH_GPU {
namespace {

template <class A>
__device__ float inverse_rms(const A* x, int64_t C, float eps) {
  float sum = 0;
  for (int64_t c = threadIdx.x; c < C; c += blockDim.x) sum += x[c] * x[c];
  return 1.0f / sqrtf(block_sum(sum) / static_cast<float>(C) + eps);
}

template <class A>
__global__ void rms_norm_kernel(const A* x, const float* w, A* y, int64_t C, float eps) {
  x += blockIdx.x * C;
  y += blockIdx.x * C;
  const float r = inverse_rms(x, C, eps);
  for (int64_t c = threadIdx.x; c < C; c += blockDim.x) y[c] = x[c] * r * (w ? w[c] : 1.0f);
}

template <class A>
__global__ void rms_norm_dx_kernel(const A* x, const float* w, const A* dy, A* dx, float* inverse, int64_t C,
                                   float eps) {
  x += blockIdx.x * C;
  dy += blockIdx.x * C;
  dx += blockIdx.x * C;
  const float r = inverse_rms(x, C, eps);
  float sum = 0;
  for (int64_t c = threadIdx.x; c < C; c += blockDim.x) sum += (w ? w[c] : 1.0f) * dy[c] * x[c];
  const float along_x = r * r * block_sum(sum) / static_cast<float>(C);
  for (int64_t c = threadIdx.x; c < C; c += blockDim.x) dx[c] = r * ((w ? w[c] : 1.0f) * dy[c] - x[c] * along_x);
  if (threadIdx.x == 0) inverse[blockIdx.x] = r;
}

template <class A>
__global__ void rms_norm_dw_kernel(const A* x, const A* dy, const float* inverse, float* dw, int64_t T, int64_t C) {
  const int64_t c = thread_index();
  if (c >= C) return;
  float sum = 0;
  for (int64_t t = 0; t < T; ++t) sum += dy[t * C + c] * (x[t * C + c] * inverse[t]);
  dw[c] = sum;
}

void launch_forward(const KernelArgs& args, const Worker& me) {
  const int64_t T = args.inputs[0].shape().n_rows(), C = args.inputs[0].shape().last();
  if (T == 0) return;
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<rms_norm_kernel<A>>(static_cast<unsigned>(T), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                      args.inputs.size() > 1 ? args.inputs[1].f32() : nullptr, args.outputs[0].as<A>(),
                                      C, static_cast<const RmsNorm&>(*args.op).eps);
  });
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  const int64_t T = args.inputs[0].shape().n_rows(), C = args.inputs[0].shape().last();
  const bool has_w = args.inputs.size() > 2;
  const float* w = has_w ? args.inputs[1].f32() : nullptr;
  auto* inverse = reinterpret_cast<float*>(args.scratch);
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    const A *x = args.inputs[0].as<A>(), *dy = args.inputs[has_w ? 2 : 1].as<A>();
    if (T > 0)
      launch_kernel<rms_norm_dx_kernel<A>>(static_cast<unsigned>(T), kBlock, 0, stream_of(me), x, w, dy,
                                           args.outputs[0].as<A>(), inverse, C,
                                           static_cast<const RmsNormBackward&>(*args.op).eps);
    if (has_w)
      launch_kernel<rms_norm_dw_kernel<A>>(blocks_for(C, 64), 64, 0, stream_of(me), x, dy, inverse,
                                           args.outputs[1].f32(), T, C);
  });
}

}  // namespace

template <>
Kernel kernel_for(const RmsNorm&, Types) {
  return {launch_forward};
}
template <>
Kernel kernel_for(const RmsNormBackward&, Types inputs) {
  return {launch_backward, static_cast<size_t>(inputs[0].shape.n_rows()) * sizeof(float)};
}

}  // namespace hearth::HEARTH_GPU
