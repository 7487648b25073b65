// matmul, CUDA
// math:     y[m,n] = Σ_k op(a)[m,k] * op(b)[k,n]
// shapes:   a [M,K] or [K,M] f32; b [K,N] or [N,K] any weight dtype but the grid ones; y [M,N] f32
// traffic:  2·M·N·K flops over M·K·4 + bytes(b) + M·N·4: memory bound below M of about 64, compute bound above
// mapping:  M <= 8, b transposed, a common dtype: one warp a row of b, widened in registers, read once for all rows of
//           a (decode); else cuBLASLt; a b that is not f32 is first widened in panels of rows, into scratch
// needs:    nothing
// numerics: fp32 (no TF32); quantised weights are multiplied out to float first
#include "runtime/kernels/product.cuh"
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
  if (!op.trans_a && op.trans_b && M >= 1 && M <= kMaxDotRows && has_dot_rows(b.dtype)) return {launch_decode};
  return {launch_product, panel_bytes(b)};
}

}  // namespace hearth::HEARTH_GPU
