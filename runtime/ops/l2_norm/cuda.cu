// l2_norm and its backward, CUDA
// math:     as cpu.cpp
// shapes:   x, y, dx, dy [...,C] f32 or bf16
// traffic:  8 B (backward 12 B) an element: memory bound
// mapping:  one warp a row
// needs:    nothing
// numerics: fp32; sums in a fixed order
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/l2_norm/l2_norm.h"

namespace hearth::HEARTH_GPU {
namespace {

constexpr int kRows = kBlock / kWarp;  // of a block

template <class A>
__global__ void l2_norm_kernel(const A* x, A* y, int64_t n_rows, int64_t C, float eps, float scale) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * kRows + threadIdx.x / kWarp;
  if (row >= n_rows) return;
  x += row * C;
  float sum = 0;
  for (int64_t c = threadIdx.x % kWarp; c < C; c += kWarp) sum += x[c] * x[c];
  const float r = scale / sqrtf(warp_sum(sum) + eps);
  for (int64_t c = threadIdx.x % kWarp; c < C; c += kWarp) y[row * C + c] = x[c] * r;
}

template <class A>
__global__ void l2_norm_backward_kernel(const A* x, const A* dy, A* dx, int64_t n_rows, int64_t C, float eps,
                                        float scale) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * kRows + threadIdx.x / kWarp;
  if (row >= n_rows) return;
  x += row * C;
  dy += row * C;
  float sum = 0, dot = 0;
  for (int64_t c = threadIdx.x % kWarp; c < C; c += kWarp) {
    sum += x[c] * x[c];
    dot += x[c] * dy[c];
  }
  const float r = 1 / sqrtf(warp_sum(sum) + eps), k = r * r * warp_sum(dot);
  for (int64_t c = threadIdx.x % kWarp; c < C; c += kWarp) dx[row * C + c] = scale * r * (dy[c] - k * x[c]);
}

void launch_forward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const L2Norm&>(*args.op);
  const int64_t n_rows = args.inputs[0].shape().n_rows();
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<l2_norm_kernel<A>>(blocks_for(n_rows, kRows), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                     args.outputs[0].as<A>(), n_rows, args.inputs[0].shape().last(), op.eps, op.scale);
  });
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const L2NormBackward&>(*args.op);
  const int64_t n_rows = args.inputs[0].shape().n_rows();
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<l2_norm_backward_kernel<A>>(blocks_for(n_rows, kRows), kBlock, 0, stream_of(me),
                                              args.inputs[0].as<A>(), args.inputs[1].as<A>(), args.outputs[0].as<A>(),
                                              n_rows, args.inputs[0].shape().last(), op.eps, op.scale);
  });
}

}  // namespace

template <>
Kernel kernel_for(const L2Norm&, Types) {
  return {launch_forward};
}
template <>
Kernel kernel_for(const L2NormBackward&, Types) {
  return {launch_backward};
}

}  // namespace hearth::HEARTH_GPU
