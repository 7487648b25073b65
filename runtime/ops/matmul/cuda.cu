// matmul, CUDA
// math:     y[m,n] = Σ_k op(a)[m,k] * op(b)[k,n]
// shapes:   a [M,K] or [K,M] f32; b [K,N] or [N,K] any weight dtype but the grid ones; y [M,N] f32
// traffic:  2·M·N·K flops over M·K·4 + bytes(b) + M·N·4: memory bound below M of about 64, compute bound above
// mapping:  M <= 8, b transposed: one warp two rows of b, widened in registers, read once for all rows of a (decode);
//           else cuBLASLt; a b that is not f32 is first widened in panels of rows, into scratch
// needs:    nothing
// numerics: fp32 (no TF32); quantised weights are multiplied out to float first
#include "runtime/kernels/product.cuh"
#include "runtime/kernels/weight_dot.cuh"
#include "runtime/ops/matmul/matmul.h"

namespace hearth::HEARTH_GPU {
namespace {

// ---- decode ----

constexpr int kMaxRows = 8, kWarpsPerBlock = 4, kColumnsPerWarp = 2;

// One warp two columns of y, which are rows of b, for up to M rows of a.
template <Dtype dtype, int M>
__global__ void few_rows_kernel(const float* a, const void* b, float* y, int n_rows, int64_t N, int64_t K,
                                bool is_wide) {
  const int64_t n = (static_cast<int64_t>(blockIdx.x) * kWarpsPerBlock + threadIdx.x / kWarp) * kColumnsPerWarp;
  if (n >= N) return;
  const auto sums = dot_rows<Dtype::f32, dtype, M, kColumnsPerWarp>(a, n_rows, b, n, N - n, K, is_wide);
  if (threadIdx.x % kWarp != 0) return;
#pragma unroll
  for (int r = 0; r < kColumnsPerWarp; ++r)
#pragma unroll
    for (int m = 0; m < M; ++m)
      if (n + r < N && m < n_rows) y[m * N + n + r] = sums.sum[r][m];
}

template <Dtype dtype, int M>
void launch_few_rows(const KernelArgs& args, Stream stream) {
  const TensorView &a = args.inputs[0], &b = args.inputs[1], &y = args.outputs[0];
  const int64_t N = y.dim(1), K = b.dim(1);
  const bool is_wide = has_wide_rows(Dtype::f32, a.data, K) && has_wide_rows(dtype, b.data, K);
  launch_kernel<few_rows_kernel<dtype, M>>(blocks_for(N, kWarpsPerBlock * kColumnsPerWarp), kWarpsPerBlock * kWarp, 0,
                                           stream, a.f32(), b.data, y.f32(), static_cast<int>(y.dim(0)), N, K, is_wide);
}

void launch_decode(const KernelArgs& args, const Worker& me) {
  const int64_t M = args.outputs[0].dim(0);
  with_weight_dtype(args.inputs[1].type.dtype, [&]<Dtype dtype>() {
    if (M == 1) return launch_few_rows<dtype, 1>(args, stream_of(me));
    if (M <= 4) return launch_few_rows<dtype, 4>(args, stream_of(me));
    launch_few_rows<dtype, kMaxRows>(args, stream_of(me));
  });
}

// ---- BLAS ----

// Rows of b are columns of y when b is transposed, else terms of the sum.
RowProduct product_of(const KernelArgs& args, int64_t row, int64_t rows, const float* panel) {
  const auto& op = static_cast<const Matmul&>(*args.op);
  const TensorView &a = args.inputs[0], &y = args.outputs[0];
  const int64_t lda = a.dim(1), ldb = args.inputs[1].dim(1), K = a.dim(op.trans_a ? 0 : 1);
  RowProduct p{y.dim(0), y.dim(1), K, {Dtype::f32, a.data, op.trans_a, lda}, {Dtype::f32, panel, op.trans_b, ldb}};
  p.c = y.data;
  p.ldc = y.dim(1);
  if (op.trans_b) {
    p.N = rows;
    p.c = y.f32() + row;
  } else {
    p.K = rows;
    p.a.data = a.f32() + (op.trans_a ? row * lda : row);
    p.adds = row > 0;
  }
  return p;
}

void launch_product(const KernelArgs& args, const Worker& me) {
  const Stream stream = stream_of(me);
  const TensorView& y = args.outputs[0];
  const bool has_terms = args.inputs[0].type.shape.n_elements() > 0;
  if (!has_terms) return clear_bytes(stream, y.data, static_cast<size_t>(y.type.bytes()));
  for_panels(args.inputs[1], args.scratch, stream, [&](int64_t row, int64_t rows, const float* panel) {
    multiply(stream, product_of(args, row, rows, panel));
  });
}

}  // namespace

template <>
Kernel kernel_for(const Matmul& op, Types inputs) {
  const TensorType &a = inputs[0], &b = inputs[1];
  if (a.dtype != Dtype::f32 || !reads_on_device(b.dtype)) return {};
  const int64_t M = a.shape[op.trans_a ? 1 : 0];
  if (!op.trans_a && op.trans_b && M >= 1 && M <= kMaxRows) return {launch_decode};
  return {launch_product, panel_bytes(b)};
}

}  // namespace hearth::HEARTH_GPU
