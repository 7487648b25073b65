// scale_rows and row_dots, CUDA
// math:     as cpu.cpp
// shapes:   x, y, a, b [T,C], s [T,1], all f32 or all bf16
// traffic:  8 B an element: memory bound
// mapping:  scale_rows: one thread an element; row_dots: one warp a row
// needs:    nothing
// numerics: fp32; sums in a fixed order
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/scale_rows/scale_rows.h"

namespace hearth::HEARTH_GPU {
namespace {

constexpr int kRows = kBlock / kWarp;  // of a block

template <class A>
__global__ void scale_rows_kernel(const A* x, const A* s, A* y, int64_t n, int64_t C) {
  const int64_t i = thread_index();
  if (i < n) y[i] = x[i] * s[i / C];
}

template <class A>
__global__ void row_dots_kernel(const A* a, const A* b, A* s, int64_t T, int64_t C) {
  const int64_t t = static_cast<int64_t>(blockIdx.x) * kRows + threadIdx.x / kWarp;
  if (t >= T) return;
  float sum = 0;
  for (int64_t c = threadIdx.x % kWarp; c < C; c += kWarp) sum += a[t * C + c] * b[t * C + c];
  sum = warp_sum(sum);
  if (threadIdx.x % kWarp == 0) s[t] = sum;
}

void launch_scale(const KernelArgs& args, const Worker& me) {
  const int64_t n = args.inputs[0].shape().n_elements();
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<scale_rows_kernel<A>>(blocks_for(n), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                        args.inputs[1].as<A>(), args.outputs[0].as<A>(), n, args.inputs[0].dim(1));
  });
}

void launch_dots(const KernelArgs& args, const Worker& me) {
  const int64_t T = args.inputs[0].dim(0);
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<row_dots_kernel<A>>(blocks_for(T, kRows), kBlock, 0, stream_of(me), args.inputs[0].as<A>(),
                                      args.inputs[1].as<A>(), args.outputs[0].as<A>(), T, args.inputs[0].dim(1));
  });
}

}  // namespace

template <>
Kernel kernel_for(const ScaleRows&, Types) {
  return {launch_scale};
}
template <>
Kernel kernel_for(const RowDots&, Types) {
  return {launch_dots};
}

}  // namespace hearth::HEARTH_GPU
