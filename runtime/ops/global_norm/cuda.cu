// global_norm, CUDA
// math:     norm = sqrt(Σ_i Σ g_i²);  scale = max_norm / norm where the norm is more than max_norm, else 1
// shapes:   loss [1], gradients f32 of any shape; norm, scale [1]; scratch: a double a chunk
// traffic:  4 B and 2 flops an element: memory bound
// mapping:  one block a chunk of a gradient; one thread adds the chunks
// needs:    nothing
// numerics: chunks summed in double in a fixed tree, then the chunks in order
#include <cmath>

#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/global_norm/global_norm.h"

namespace hearth::HEARTH_GPU {
namespace {

constexpr int64_t kChunk = 1 << 15;

int64_t chunks_in(int64_t n) {
  return (n + kChunk - 1) / kChunk;
}

__global__ void chunk_squares_kernel(const float* g, double* sums, int64_t n) {
  HEARTH_SHARED(parts, double[kBlock]);
  const int64_t begin = static_cast<int64_t>(blockIdx.x) * kChunk, end = begin + kChunk < n ? begin + kChunk : n;
  double sum = 0;
  for (int64_t i = begin + threadIdx.x; i < end; i += kBlock) sum += static_cast<double>(g[i]) * g[i];
  parts[threadIdx.x] = sum;
  __syncthreads();
  for (int half = kBlock / 2; half > 0; half /= 2) {
    if (static_cast<int>(threadIdx.x) < half) parts[threadIdx.x] += parts[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) sums[blockIdx.x] = parts[0];
}

__global__ void norm_kernel(const double* sums, int64_t n_chunks, const float* loss, double max_norm, float* norm,
                            float* scale) {
  if (threadIdx.x != 0) return;
  double sum = 0;
  for (int64_t i = 0; i < n_chunks; ++i) sum += sums[i];
  const double length = sqrt(sum);
  *norm = static_cast<float>(length);
  *scale = max_norm > 0 && length > max_norm ? static_cast<float>(max_norm / length) : 1.0f;
  if (!isfinite(*norm) || !isfinite(*loss)) *scale = NAN;
}

void launch(const KernelArgs& args, const Worker& me) {
  auto* sums = reinterpret_cast<double*>(args.scratch);
  int64_t n_chunks = 0;
  for (const TensorView& g : args.inputs.subspan(1)) {
    const int64_t n = g.shape().n_elements(), chunks = chunks_in(n);
    if (chunks > 0)
      launch_kernel<chunk_squares_kernel>(static_cast<unsigned>(chunks), kBlock, 0, stream_of(me), g.f32(),
                                          sums + n_chunks, n);
    n_chunks += chunks;
  }
  launch_kernel<norm_kernel>(1, kWarp, 0, stream_of(me), sums, n_chunks, args.inputs[0].f32(),
                             static_cast<const GlobalNorm&>(*args.op).max_norm, args.outputs[0].f32(),
                             args.outputs[1].f32());
}

}  // namespace

template <>
Kernel kernel_for(const GlobalNorm&, Types inputs) {
  int64_t n_chunks = 0;
  for (const TensorType& type : inputs.subspan(1)) n_chunks += chunks_in(type.shape.n_elements());
  return {launch, static_cast<size_t>(n_chunks) * sizeof(double)};
}

}  // namespace hearth::HEARTH_GPU
