// head_matmul and head_outer, CUDA
// math:     y[t,h] = x[t,h] · w[h]ᵀ;  dw[h] = Σ_t a[t,h]ᵀ · b[t,h]
// shapes:   x [T,H,K] f32 or bf16, w [H,N,K] or [H,K,N] any weight dtype, y [T,H,N] like x, dw [H,M,N] f32
// traffic:  2·T·H·N·K flops over bytes(w) + T·H·(K + N)·4: memory bound below T of about 64
// mapping:  tiles of 32 x 32 of one head through shared memory, one thread an element
// needs:    H <= 65535 blocks along z
// numerics: fp32, sums over k in order
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/head_matmul/head_matmul.h"

namespace hearth::HEARTH_GPU {
namespace {

constexpr int kTile = 32;

// One element of a tile product over `depth`; element (m, k) of a and (k, n) of b come from the loaders.
template <class LoadA, class LoadB>
__device__ float tile_sum(int64_t depth, LoadA a_at, LoadB b_at) {
  HEARTH_SHARED(a, float[kTile][kTile + 1]);
  HEARTH_SHARED(b, float[kTile][kTile + 1]);
  const int tx = threadIdx.x, ty = threadIdx.y;
  float sum = 0;
  for (int64_t k0 = 0; k0 < depth; k0 += kTile) {
    a[ty][tx] = k0 + tx < depth ? a_at(ty, k0 + tx) : 0.0f;
    b[ty][tx] = k0 + ty < depth ? b_at(k0 + ty, tx) : 0.0f;
    __syncthreads();
    for (int k = 0; k < kTile; ++k) sum += a[ty][k] * b[k][tx];
    __syncthreads();
  }
  return sum;
}

template <class A, Dtype dtype>
__global__ void forward_kernel(const A* x, const void* w, A* y, int64_t T, int64_t H, int64_t K, int64_t N,
                               bool trans_w) {
  const int64_t h = blockIdx.z, row = static_cast<int64_t>(blockIdx.y) * kTile,
                col = static_cast<int64_t>(blockIdx.x) * kTile, base = h * N * K;
  const float sum = tile_sum(
      K, [&](int m, int64_t k) { return row + m < T ? float(x[((row + m) * H + h) * K + k]) : 0.0f; },
      [&](int64_t k, int n) {
        if (col + n >= N) return 0.0f;
        return weight_at<dtype>(w, base + (trans_w ? (col + n) * K + k : k * N + col + n));
      });
  const int64_t t = row + threadIdx.y, n = col + threadIdx.x;
  if (t < T && n < N) y[(t * H + h) * N + n] = sum;
}

template <class A>
__global__ void outer_kernel(const A* a, const A* b, float* out, int64_t T, int64_t H, int64_t M, int64_t N) {
  const int64_t h = blockIdx.z, row = static_cast<int64_t>(blockIdx.y) * kTile,
                col = static_cast<int64_t>(blockIdx.x) * kTile;
  const float sum = tile_sum(
      T, [&](int m, int64_t t) { return row + m < M ? float(a[(t * H + h) * M + row + m]) : 0.0f; },
      [&](int64_t t, int n) { return col + n < N ? float(b[(t * H + h) * N + col + n]) : 0.0f; });
  const int64_t m = row + threadIdx.y, n = col + threadIdx.x;
  if (m < M && n < N) out[(h * M + m) * N + n] = sum;
}

void launch_forward(const KernelArgs& args, const Worker& me) {
  const bool trans_w = static_cast<const HeadMatmul&>(*args.op).trans_w;
  const TensorView &x = args.inputs[0], &w = args.inputs[1], &y = args.outputs[0];
  const int64_t T = x.dim(0), H = w.dim(0), K = x.dim(2), N = y.dim(2);
  if (T == 0) return;
  const dim3 grid(blocks_for(N, kTile), blocks_for(T, kTile), static_cast<unsigned>(H));
  with_activations(x.type.dtype, [&]<class A>() {
    with_weight_dtype(w.type.dtype, [&]<Dtype dtype>() {
      launch_kernel<forward_kernel<A, dtype>>(grid, dim3(kTile, kTile), 0, stream_of(me), static_cast<const A*>(x.data),
                                              w.data, static_cast<A*>(y.data), T, H, K, N, trans_w);
    });
  });
}

void launch_outer(const KernelArgs& args, const Worker& me) {
  const TensorView& out = args.outputs[0];
  const int64_t T = args.inputs[0].dim(0), H = out.dim(0), M = out.dim(1), N = out.dim(2);
  const dim3 grid(blocks_for(N, kTile), blocks_for(M, kTile), static_cast<unsigned>(H));
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    launch_kernel<outer_kernel<A>>(grid, dim3(kTile, kTile), 0, stream_of(me),
                                   static_cast<const A*>(args.inputs[0].data),
                                   static_cast<const A*>(args.inputs[1].data), out.f32(), T, H, M, N);
  });
}

}  // namespace

template <>
Kernel kernel_for(const HeadMatmul&, Types inputs) {
  if (!reads_on_device(inputs[1].dtype)) return {};
  return {launch_forward};
}
template <>
Kernel kernel_for(const HeadOuter&, Types) {
  return {launch_outer};
}

}  // namespace hearth::HEARTH_GPU
