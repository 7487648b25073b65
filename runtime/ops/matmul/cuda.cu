// matmul, CUDA
// math:     y[m,n] = Σ_k op(a)[m,k] * op(b)[k,n]
// shapes:   a [M,K] or [K,M] f32; b [K,N] or [N,K] any weight dtype but the grid ones; y [M,N] f32
// traffic:  2·M·N·K flops over M·K·4 + bytes(b) + M·N·4: memory bound below M of about 64, compute bound above
// mapping:  M <= 8, b transposed, a common dtype: one warp a row of b, widened in registers, read once for all rows of
//           a (decode); else cuBLAS; a b that is not f32 is first widened in panels of rows, into scratch
// needs:    nothing
// numerics: fp32 (no TF32); quantised weights are multiplied out to float first
#include "runtime/backend/blas.cuh"
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/matmul/matmul.h"

namespace hearth::HEARTH_GPU {
namespace {

// ---- decode ----

constexpr int kMaxDotRows = 8, kWarpsPerBlock = 4;

// Dtypes with decode kernels of their own; the others go by widened panels, which saves a few hundred kernels.
constexpr bool has_dot_rows(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
    case Dtype::f16:
    case Dtype::bf16:
    case Dtype::q8_0:
    case Dtype::q4_0:
    case Dtype::q5_0:
    case Dtype::q4_k:
    case Dtype::q6_k:
    case Dtype::mxfp4:
    case Dtype::f8x128:
      return true;
    default:
      return false;
  }
}

template <Dtype dtype, int M>
__global__ void dot_rows_kernel(const float* a, const void* b, float* y, int64_t N, int64_t K) {
  const int64_t n = static_cast<int64_t>(blockIdx.x) * kWarpsPerBlock + threadIdx.x / kWarp;
  const int lane = threadIdx.x % kWarp;
  if (n >= N) return;
  float sum[M] = {};
  for (int64_t k = lane; k < K; k += kWarp) {
    const float w = weight_at<dtype>(b, n * K + k);
#pragma unroll
    for (int m = 0; m < M; ++m) sum[m] += w * a[m * K + k];
  }
#pragma unroll
  for (int m = 0; m < M; ++m) {
    const float total = warp_sum(sum[m]);
    if (lane == 0) y[m * N + n] = total;
  }
}

template <Dtype dtype>
void launch_dot_rows(const KernelArgs& args, Stream stream) {
  const float* a = args.inputs[0].f32();
  const void* b = args.inputs[1].data;
  float* y = args.outputs[0].f32();
  const int64_t M = args.outputs[0].dim(0), N = args.outputs[0].dim(1), K = args.inputs[1].dim(1);
  const unsigned blocks = blocks_for(N, kWarpsPerBlock), threads = kWarpsPerBlock * kWarp;
  auto run = [&]<int m>() { launch_kernel<dot_rows_kernel<dtype, m>>(blocks, threads, 0, stream, a, b, y, N, K); };
  switch (M) {
    case 1:
      return run.template operator()<1>();
    case 2:
      return run.template operator()<2>();
    case 3:
      return run.template operator()<3>();
    case 4:
      return run.template operator()<4>();
    case 5:
      return run.template operator()<5>();
    case 6:
      return run.template operator()<6>();
    case 7:
      return run.template operator()<7>();
    case 8:
      return run.template operator()<8>();
    default:
      return;
  }
}

void launch_decode(const KernelArgs& args, const Worker& me) {
  with_weight_dtype(args.inputs[1].type.dtype, [&]<Dtype dtype>() {
    if constexpr (has_dot_rows(dtype)) launch_dot_rows<dtype>(args, stream_of(me));
  });
}

// ---- BLAS ----

struct Product {
  int64_t M, N, K;
  const float* a;
  bool trans_a;
  int64_t lda;
  const float* b;
  bool trans_b;
  int64_t ldb;
  float* y;
  int64_t ldy;
  bool add;
};

// BLAS is column-major: yᵀ = op(b)ᵀ · op(a)ᵀ, and a row-major matrix is its own transpose there.
void multiply(const Product& p, Stream stream) {
  Sgemm g;
  g.m = static_cast<int>(p.N);
  g.n = static_cast<int>(p.M);
  g.k = static_cast<int>(p.K);
  g.trans_a = p.trans_b;
  g.a = p.b;
  g.lda = static_cast<int>(p.ldb);
  g.trans_b = p.trans_a;
  g.b = p.a;
  g.ldb = static_cast<int>(p.lda);
  g.beta = p.add ? 1 : 0;
  g.c = p.y;
  g.ldc = static_cast<int>(p.ldy);
  sgemm(stream, g);
}

Product whole_product(const KernelArgs& args) {
  const auto& op = static_cast<const Matmul&>(*args.op);
  const TensorView &a = args.inputs[0], &b = args.inputs[1], &y = args.outputs[0];
  return {y.dim(0), y.dim(1),   a.dim(op.trans_a ? 0 : 1),
          a.f32(),  op.trans_a, a.dim(1),
          b.f32(),  op.trans_b, b.dim(1),
          y.f32(),  y.dim(1),   false};
}

void launch_f32(const KernelArgs& args, const Worker& me) {
  const Product p = whole_product(args);
  if (p.M == 0 || p.N == 0) return;
  if (p.K == 0) {
    clear_bytes(stream_of(me), p.y, static_cast<size_t>(args.outputs[0].type.bytes()));
    return;
  }
  multiply(p, stream_of(me));
}

// ---- widened panels ----

constexpr int64_t kPanelFloats = int64_t{4} << 20;  // 16 MiB: stays in L2 on large GPUs, amortises launches

int64_t panel_rows(int64_t n_rows, int64_t n_cols) {
  const int64_t fit = n_cols == 0 ? n_rows : kPanelFloats / n_cols;
  return fit < 1 ? 1 : fit < n_rows ? fit : n_rows;
}

template <Dtype dtype>
__global__ void widen_kernel(const void* source, int64_t offset, float* out, int64_t n) {
  const int64_t i = thread_index();
  if (i < n) out[i] = weight_at<dtype>(source, offset + i);
}

// Rows of b are columns of y when b is transposed, else terms of the sum.
void launch_panels(const KernelArgs& args, const Worker& me) {
  const TensorView& b = args.inputs[1];
  const int64_t n_rows = b.dim(0), n_cols = b.dim(1), step = panel_rows(n_rows, n_cols);
  auto* panel = reinterpret_cast<float*>(args.scratch);
  for (int64_t row = 0; row < n_rows; row += step) {
    const int64_t rows = step < n_rows - row ? step : n_rows - row, n = rows * n_cols;
    with_weight_dtype(b.type.dtype, [&]<Dtype dtype>() {
      launch_kernel<widen_kernel<dtype>>(blocks_for(n), kBlock, 0, stream_of(me), b.data, row * n_cols, panel, n);
    });
    Product p = whole_product(args);
    p.b = panel;
    if (p.trans_b) {
      p.N = rows;
      p.y += row;
    } else {
      p.K = rows;
      p.a += p.trans_a ? row * p.lda : row;
      p.add = row > 0;
    }
    multiply(p, stream_of(me));
  }
}

}  // namespace

template <>
Kernel kernel_for(const Matmul& op, Types inputs) {
  const TensorType &a = inputs[0], &b = inputs[1];
  if (a.dtype != Dtype::f32 || !reads_on_device(b.dtype)) return {};
  const int64_t M = a.shape[op.trans_a ? 1 : 0];
  if (!op.trans_a && op.trans_b && M >= 1 && M <= kMaxDotRows && has_dot_rows(b.dtype)) return {launch_decode};
  if (b.dtype == Dtype::f32) return {launch_f32};
  return {launch_panels, static_cast<size_t>(panel_rows(b.shape[0], b.shape[1]) * b.shape[1]) * sizeof(float)};
}

}  // namespace hearth::HEARTH_GPU
