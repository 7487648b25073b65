// sample_tokens, CUDA
// math:     as cpu.cpp
// shapes:   logits [T,V], choices [T,6] f32, ids [T] i32
// traffic:  a pass over a row, out of L2, for each bit of up to three keys; nothing is written but T ids
// mapping:  one block a row
// needs:    nothing
// numerics: weights in fp32, sums in fp64 in a fixed tree
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/sample_tokens/draw.h"

namespace hearth::HEARTH_GPU {
namespace {

constexpr int64_t kLargeVocabulary = 4096;
constexpr unsigned kMaxBlock = 1024;

// Of a block of whole warps; each pass ends with a barrier.
struct Row {
  int64_t V;

  template <class T, class F, class Join>
  __device__ T reduce(F f, Join join) const {
    HEARTH_SHARED(parts, T[kWarp]);
    const int lane = threadIdx.x % kWarp, n_warps = blockDim.x / kWarp;
    T mine = 0;
    for (int64_t i = threadIdx.x; i < V; i += blockDim.x) mine = join(mine, f(i));
    mine = warp_join(mine, join);
    if (lane == 0) parts[threadIdx.x / kWarp] = mine;
    __syncthreads();
    mine = warp_join(lane < n_warps ? parts[lane] : T{0}, join);
    __syncthreads();
    return mine;
  }
  template <class T, class Join>
  __device__ static T warp_join(T x, Join join) {
    for (int offset = kWarp / 2; offset > 0; offset /= 2) x = join(x, __shfl_xor_sync(0xffffffffu, x, offset));
    return x;
  }
  template <class F>
  __device__ double sum(F f) const {
    return reduce<double>(f, [](double a, double b) { return a + b; });
  }
  template <class F>
  __device__ uint64_t largest(F f) const {
    return reduce<unsigned long long>([&](int64_t i) -> unsigned long long { return f(i); },
                                      [](unsigned long long a, unsigned long long b) { return a > b ? a : b; });
  }
};

__global__ void sample_kernel(const float* logits, const DrawChoice* choices, int32_t* ids, int64_t V) {
  const int64_t t = blockIdx.x;
  const int64_t id = draw_token(logits + t * V, V, choices[t], Row{V});
  if (threadIdx.x == 0) ids[t] = static_cast<int32_t>(id);
}

void launch(const KernelArgs& args, const Worker& me) {
  const int64_t T = args.inputs[0].dim(0), V = args.inputs[0].dim(1);
  if (T == 0) return;
  launch_kernel<sample_kernel>(static_cast<unsigned>(T), V > kLargeVocabulary ? kMaxBlock : kBlock, 0, stream_of(me),
                               args.inputs[0].f32(), args.inputs[1].as<DrawChoice>(), args.outputs[0].i32(), V);
}

}  // namespace

template <>
Kernel kernel_for(const SampleTokens&, Types) {
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
