// layer_norm and its backward, CUDA
// math:     y = z w + b with z = (x - mean) r, r[t] = 1 / sqrt(variance + eps)
//           dx = r (v - mean(v) - z mean(v z)) with v = w dy;  dw[c] = Σ_t dy z
// shapes:   x, dy, y, dx [T,C] f32 or bf16, w, b, dw [C] f32; scratch [2T] f32: mean and r
// traffic:  8 B an element (backward 20 B), ~8 flops: memory bound
// mapping:  one block a row; for dw one thread a column
// needs:    nothing
// numerics: fp32; sums in a fixed tree; dw in order of t
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/layer_norm/layer_norm.h"

namespace hearth::HEARTH_GPU {
namespace {

struct Moments {
  float mean, inverse_deviation;
};

template <class A>
__device__ Moments moments(const A* x, int64_t C, float eps) {
  const auto n = static_cast<float>(C);
  float sum = 0, squares = 0;
  for (int64_t c = threadIdx.x; c < C; c += blockDim.x) sum += x[c];
  const float mean = block_sum(sum) / n;
  for (int64_t c = threadIdx.x; c < C; c += blockDim.x) squares += (x[c] - mean) * (x[c] - mean);
  return {mean, 1.0f / sqrtf(block_sum(squares) / n + eps)};
}

template <class A>
__global__ void layer_norm_kernel(const A* x, const float* w, const float* b, A* y, int64_t C, float eps) {
  x += blockIdx.x * C;
  y += blockIdx.x * C;
  const Moments m = moments(x, C, eps);
  for (int64_t c = threadIdx.x; c < C; c += blockDim.x) y[c] = (x[c] - m.mean) * m.inverse_deviation * w[c] + b[c];
}

template <class A>
__global__ void layer_norm_dx_kernel(const A* x, const float* w, const A* dy, A* dx, Moments* kept, int64_t C,
                                     float eps) {
  x += blockIdx.x * C;
  dy += blockIdx.x * C;
  dx += blockIdx.x * C;
  const Moments m = moments(x, C, eps);
  float v = 0, vz = 0;
  for (int64_t c = threadIdx.x; c < C; c += blockDim.x) {
    v += w[c] * dy[c];
    vz += w[c] * dy[c] * (x[c] - m.mean) * m.inverse_deviation;
  }
  const float mean_v = block_sum(v) / static_cast<float>(C), mean_vz = block_sum(vz) / static_cast<float>(C);
  for (int64_t c = threadIdx.x; c < C; c += blockDim.x)
    dx[c] = m.inverse_deviation * (w[c] * dy[c] - mean_v - (x[c] - m.mean) * m.inverse_deviation * mean_vz);
  if (threadIdx.x == 0) kept[blockIdx.x] = m;
}

template <class A>
__global__ void layer_norm_dw_kernel(const A* x, const A* dy, const Moments* kept, float* dw, int64_t T, int64_t C) {
  const int64_t c = thread_index();
  if (c >= C) return;
  float sum = 0;
  for (int64_t t = 0; t < T; ++t) sum += dy[t * C + c] * ((x[t * C + c] - kept[t].mean) * kept[t].inverse_deviation);
  dw[c] = sum;
}

void launch_forward(const KernelArgs& args, const Worker& me) {
  const int64_t T = args.inputs[0].shape().n_rows(), C = args.inputs[0].shape().last();
  if (T == 0) return;
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<layer_norm_kernel<A>>(static_cast<unsigned>(T), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                        args.inputs[1].f32(), args.inputs[2].f32(), args.outputs[0].as<A>(), C,
                                        static_cast<const LayerNorm&>(*args.op).eps);
  });
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  const int64_t T = args.inputs[0].shape().n_rows(), C = args.inputs[0].shape().last();
  auto* kept = reinterpret_cast<Moments*>(args.scratch);
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    const A *x = args.inputs[0].as<A>(), *dy = args.inputs[2].as<A>();
    if (T > 0)
      launch_kernel<layer_norm_dx_kernel<A>>(static_cast<unsigned>(T), kBlock, 0, stream_of(me), x,
                                             args.inputs[1].f32(), dy, args.outputs[0].as<A>(), kept, C,
                                             static_cast<const LayerNormBackward&>(*args.op).eps);
    launch_kernel<layer_norm_dw_kernel<A>>(blocks_for(C, 64), 64, 0, stream_of(me), x, dy, kept, args.outputs[1].f32(),
                                           T, C);
  });
}

}  // namespace

template <>
Kernel kernel_for(const LayerNorm&, Types) {
  return {launch_forward};
}
template <>
Kernel kernel_for(const LayerNormBackward&, Types inputs) {
  return {launch_backward, static_cast<size_t>(inputs[0].shape.n_rows()) * sizeof(Moments)};
}

}  // namespace hearth::HEARTH_GPU
