// grouped_matmul and grouped_outer, CUDA
// math:     y[i] = x[i] · w[e(i)]ᵀ;  dw[e] = Σ over the rows i of e of a[i]ᵀ · b[i]
// shapes:   x [S,K] f32 or bf16 sorted by expert, w [E,N,K] or [E,K,N] any weight dtype, expert_begin [n+1] i32,
//           y [S,N] like x; a [S,M], b [S,N] f32 or bf16, dw [E,M,N] f32
// traffic:  2·S·N·K flops over the bytes of the experts that have rows + S·(K+N)·4
// mapping:  few rows: one warp two elements of y, the row's expert found by bisection; else tiles of 64 x 64 through
//           shared memory, 4 x 4 a thread, or in bf16 by tensor cores. An expert's rows fill whole tiles but the last:
//           ⌈S/64⌉ + E tiles suffice.
// needs:    nothing
// numerics: sums in fp32 (no TF32), in order; beside bf16 rows, tiles round weights to bf16; which kernel depends on
//           shapes only
#include "runtime/kernels/tensor_tile.cuh"
#include "runtime/ops/grouped_matmul/grouped_matmul.h"

namespace hearth::HEARTH_GPU {
namespace {

constexpr int64_t kFewRowsAnExpert = 4;

template <class A>
__global__ void clear_kernel(A* y, int64_t N, const int32_t* begin, int n_experts) {
  const int64_t row = blockIdx.x;
  if (row >= begin[0] && row < begin[n_experts]) return;
  for (int64_t n = threadIdx.x; n < N; n += blockDim.x) y[row * N + n] = 0.0f;
}

// ---- few rows ----

constexpr int kWarpsPerBlock = 4, kColumnsPerWarp = 2;

// The last e with begin[e] <= row; begin[0] <= row < begin[n].
__device__ int expert_of_row(const int32_t* begin, int n, int64_t row) {
  int low = 0, high = n - 1;
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    if (begin[middle] <= row)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

template <class A, Dtype dtype>
__global__ void few_kernel(const A* x, const void* w, const int32_t* begin, int E, A* y, int64_t N, int64_t K,
                           bool is_wide) {
  const int64_t i = blockIdx.y;
  const int64_t n = (static_cast<int64_t>(blockIdx.x) * kWarpsPerBlock + threadIdx.x / kWarp) * kColumnsPerWarp;
  if (n >= N || i < begin[0] || i >= begin[E]) return;
  const int64_t row = static_cast<int64_t>(expert_of_row(begin, E, i)) * N + n;
  const auto sums = dot_rows<kDtypeOf<A>, dtype, 1, kColumnsPerWarp>(x + i * K, 1, w, row, N - n, K, is_wide);
  if (threadIdx.x % kWarp != 0) return;
  for (int r = 0; r < kColumnsPerWarp; ++r)
    if (n + r < N) y[i * N + n + r] = sums.sum[r][0];
}

// ---- tiles ----

constexpr int kTile = kTensorTile, kDepth = 16, kSide = 16,
              kPer = kTile / kSide;  // 16 x 16 threads, 4 x 4 elements each

// c [kTile, kTile] of a product over `depth`, in registers; element (m, k) of a and (k, n) of b come from the loaders.
template <class LoadA, class LoadB>
__device__ void multiply_tile(int64_t depth, LoadA a_at, LoadB b_at, float (&sum)[kPer][kPer]) {
  HEARTH_SHARED(a, float[kDepth][kTile + 1]);
  HEARTH_SHARED(b, float[kDepth][kTile + 1]);
  const int tx = threadIdx.x % kSide, ty = threadIdx.x / kSide;
  for (int64_t k0 = 0; k0 < depth; k0 += kDepth) {
    for (int i = threadIdx.x; i < kDepth * kTile; i += kSide * kSide) {
      const int m = i / kDepth, k = i % kDepth;
      a[k][m] = k0 + k < depth ? a_at(m, k0 + k) : 0.0f;
      b[k][m] = k0 + k < depth ? b_at(k0 + k, m) : 0.0f;
    }
    __syncthreads();
    for (int k = 0; k < kDepth; ++k)
      for (int r = 0; r < kPer; ++r)
        for (int c = 0; c < kPer; ++c) sum[r][c] += a[k][ty + r * kSide] * b[k][tx + c * kSide];
    __syncthreads();
  }
}

// A tile of rows of one expert: rows [first, last) of x, of which the tile's come first; none for a tile too many.
struct ExpertTile {
  int64_t expert = 0, first = 0, last = 0;
};

__device__ ExpertTile tile_of_block(const int32_t* begin, int E) {
  int64_t tile = blockIdx.y;
  for (int e = 0; e < E; ++e) {
    const int64_t n_tiles = (begin[e + 1] - begin[e] + kTile - 1) / kTile;
    if (tile < n_tiles) return {e, begin[e] + tile * kTile, begin[e + 1]};
    tile -= n_tiles;
  }
  return {};
}

template <Dtype dtype, bool trans_w>
__global__ void tiles_kernel(const float* x, const void* w, const int32_t* begin, int E, float* y, int64_t N, int64_t K,
                             bool) {
  const ExpertTile mine = tile_of_block(begin, E);
  const int64_t first = mine.first, last = mine.last, base = mine.expert * N * K;
  if (first == last) return;
  const int64_t col = static_cast<int64_t>(blockIdx.x) * kTile;
  float sum[kPer][kPer] = {};
  multiply_tile(
      K, [=](int m, int64_t k) { return first + m < last ? x[(first + m) * K + k] : 0.0f; },
      [=](int64_t k, int n) {
        if (col + n >= N) return 0.0f;
        return weight_at<dtype>(w, base + (trans_w ? (col + n) * K + k : k * N + col + n));
      },
      sum);
  const int tx = threadIdx.x % kSide, ty = threadIdx.x / kSide;
  for (int r = 0; r < kPer; ++r)
    for (int c = 0; c < kPer; ++c) {
      const int64_t row = first + ty + r * kSide, n = col + tx + c * kSide;
      if (row < last && n < N) y[row * N + n] = sum[r][c];
    }
}

// The same with tensor cores; weights become bf16.
template <Dtype dtype, bool trans_w>
__global__ void tiles_kernel(const Bf16* x, const void* w, const int32_t* begin, int E, Bf16* y, int64_t N, int64_t K,
                             bool is_wide) {
  const ExpertTile mine = tile_of_block(begin, E);
  const int64_t first = mine.first, last = mine.last, base = mine.expert * N * K;
  if (first == last) return;
  const int64_t col = static_cast<int64_t>(blockIdx.x) * kTile;
  const TensorTile tile = multiply_tensor_tile(
      K,
      [=](int m, int64_t k, float(&out)[kChunk]) {
        const int64_t row = (first + m) * K;
        if (first + m < last && k < K) return load_chunk<Dtype::bf16>(x, row + k, row + K, is_wide, out);
        for (float& zero : out) zero = 0;
      },
      [=](int n, int64_t k, float(&out)[kChunk]) {
        const int64_t row = base + (col + n) * K;
        if (trans_w && col + n < N && k < K) return load_chunk<dtype>(w, row + k, row + K, is_wide, out);
        for (int j = 0; j < kChunk; ++j)
          out[j] = col + n < N && k + j < K ? weight_at<dtype>(w, base + (k + j) * N + col + n) : 0.0f;
      });
  for (int n = 0; n < 4; ++n)
    for (int e = 0; e < 4; ++e) {
      const int64_t row = first + tile.row(e), c = col + tile.col(n, e);
      if (row < last && c < N) y[row * N + c] = tile.sum[n][e];
    }
}

template <class A>
struct Launch {
  const A* x;
  const void* w;
  const int32_t* begin;
  A* y;
  int E;
  int64_t S, N, K;
  Stream stream;
};

// Calls body(launch) with rows of other experts cleared, unless there is nothing to do.
template <class Body>
void with_launch(const KernelArgs& args, const Worker& me, Body body) {
  const auto& op = static_cast<const GroupedMatmul&>(*args.op);
  const TensorView &x = args.inputs[0], &w = args.inputs[1], &y = args.outputs[0];
  if (x.dim(0) == 0 || y.dim(1) == 0) return;
  with_activations(x.type.dtype, [&]<class A>() {
    const Launch<A> l{static_cast<const A*>(x.data),
                      w.data,
                      args.inputs[2].i32() + op.first_expert,
                      static_cast<A*>(y.data),
                      static_cast<int>(w.dim(0)),
                      x.dim(0),
                      y.dim(1),
                      x.dim(1),
                      stream_of(me)};
    launch_kernel<clear_kernel<A>>(static_cast<unsigned>(l.S), kBlock, 0, l.stream, l.y, l.N, l.begin, l.E);
    body(l);
  });
}

void launch_few(const KernelArgs& args, const Worker& me) {
  with_launch(args, me, [&]<class A>(const Launch<A>& l) {
    const dim3 grid(blocks_for(l.N, kWarpsPerBlock * kColumnsPerWarp), static_cast<unsigned>(l.S));
    with_weight_dtype(args.inputs[1].type.dtype, [&]<Dtype dtype>() {
      const bool is_wide = has_wide_rows(kDtypeOf<A>, l.x, l.K) && has_wide_rows(dtype, l.w, l.K);
      launch_kernel<few_kernel<A, dtype>>(grid, kWarpsPerBlock * kWarp, 0, l.stream, l.x, l.w, l.begin, l.E, l.y, l.N,
                                          l.K, is_wide);
    });
  });
}

template <bool trans_w>
void launch_tiles(const KernelArgs& args, const Worker& me) {
  with_launch(args, me, [&]<class A>(const Launch<A>& l) {
    const dim3 grid(blocks_for(l.N, kTile), static_cast<unsigned>((l.S + kTile - 1) / kTile + l.E));
    with_weight_dtype(args.inputs[1].type.dtype, [&]<Dtype dtype>() {
      constexpr void (*kernel)(const A*, const void*, const int32_t*, int, A*, int64_t, int64_t, bool) =
          tiles_kernel<dtype, trans_w>;
      const bool is_wide = has_wide_rows(kDtypeOf<A>, l.x, l.K) && has_wide_rows(dtype, l.w, l.K);
      launch_kernel<kernel>(grid, kSide * kSide, 0, l.stream, l.x, l.w, l.begin, l.E, l.y, l.N, l.K, is_wide);
    });
  });
}

// ---- weights' gradient ----

__global__ void outer_kernel(const float* a, const float* b, const int32_t* begin, float* out, int64_t M, int64_t N) {
  const int64_t e = blockIdx.z, first = begin[e], row = static_cast<int64_t>(blockIdx.y) * kTile,
                col = static_cast<int64_t>(blockIdx.x) * kTile;
  float sum[kPer][kPer] = {};
  multiply_tile(
      begin[e + 1] - first, [&](int m, int64_t k) { return row + m < M ? a[(first + k) * M + row + m] : 0.0f; },
      [&](int64_t k, int n) { return col + n < N ? b[(first + k) * N + col + n] : 0.0f; }, sum);
  const int tx = threadIdx.x % kSide, ty = threadIdx.x / kSide;
  for (int r = 0; r < kPer; ++r)
    for (int c = 0; c < kPer; ++c) {
      const int64_t m = row + ty + r * kSide, n = col + tx + c * kSide;
      if (m < M && n < N) out[(e * M + m) * N + n] = sum[r][c];
    }
}

__global__ void outer_kernel(const Bf16* a, const Bf16* b, const int32_t* begin, float* out, int64_t M, int64_t N) {
  const int64_t e = blockIdx.z, first = begin[e], n_rows = begin[e + 1] - first,
                row = static_cast<int64_t>(blockIdx.y) * kTile, col = static_cast<int64_t>(blockIdx.x) * kTile;
  const auto column_of = [=](const Bf16* of, int64_t width, int64_t at, int64_t k, float(&numbers)[kChunk]) {
    for (int j = 0; j < kChunk; ++j)
      numbers[j] = at < width && k + j < n_rows ? float(of[(first + k + j) * width + at]) : 0.0f;
  };
  const TensorTile tile = multiply_tensor_tile(
      n_rows, [=](int m, int64_t k, float(&numbers)[kChunk]) { column_of(a, M, row + m, k, numbers); },
      [=](int n, int64_t k, float(&numbers)[kChunk]) { column_of(b, N, col + n, k, numbers); });
  for (int n = 0; n < 4; ++n)
    for (int i = 0; i < 4; ++i) {
      const int64_t m = row + tile.row(i), c = col + tile.col(n, i);
      if (m < M && c < N) out[(e * M + m) * N + c] = tile.sum[n][i];
    }
}

void launch_outer(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const GroupedOuter&>(*args.op);
  const int64_t M = args.inputs[0].dim(1), N = args.inputs[1].dim(1);
  const dim3 grid(blocks_for(N, kTile), blocks_for(M, kTile), static_cast<unsigned>(op.n_experts));
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    constexpr void (*kernel)(const A*, const A*, const int32_t*, float*, int64_t, int64_t) = outer_kernel;
    launch_kernel<kernel>(grid, kSide * kSide, 0, stream_of(me), static_cast<const A*>(args.inputs[0].data),
                          static_cast<const A*>(args.inputs[1].data), args.inputs[2].i32() + op.first_expert,
                          args.outputs[0].f32(), M, N);
  });
}

}  // namespace

template <>
Kernel kernel_for(const GroupedMatmul& op, Types inputs) {
  if (inputs[0].dtype == Dtype::q8_0 || !reads_on_device(inputs[1].dtype)) return {};
  const int64_t S = inputs[0].shape[0], E = inputs[1].shape[0];
  if (!op.trans_w) return {launch_tiles<false>};
  if (S <= kFewRowsAnExpert * E) return {launch_few};
  return {launch_tiles<true>};
}
template <>
Kernel kernel_for(const GroupedOuter&, Types) {
  return {launch_outer};
}

}  // namespace hearth::HEARTH_GPU
