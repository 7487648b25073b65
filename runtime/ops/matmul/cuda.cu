// matmul, CUDA
// math:     y[m,n] = Σ_k op(a)[m,k] * op(b)[k,n]
// shapes:   a [M,K] or [K,M] f32 or bf16; b [K,N] or [N,K] any weight dtype but the grid ones; y [M,N] like a, or f32
//           where a is transposed or the op widens
// traffic:  2·M·N·K flops over M·K·4 + bytes(b) + M·N·4: memory bound below M of about 64, compute bound above
// mapping:  M <= 8, b transposed: one warp two rows of b, widened in registers, read once for all rows of a (decode);
//           else cuBLASLt; a b of another dtype than a first becomes such, in panels, in scratch
// needs:    nothing
// numerics: sums in fp32 (no TF32). Beside bf16 activations, weights are rounded to bf16 where cuBLASLt multiplies
#include "runtime/kernels/product.cuh"
#include "runtime/kernels/weight_dot.cuh"
#include "runtime/ops/matmul/matmul.h"

namespace hearth::HEARTH_GPU {
namespace {

// ---- decode ----

constexpr int kMaxRows = 8, kWarpsPerBlock = 4, kColumnsPerWarp = 2;

// One warp two columns of y, which are rows of b, for up to M rows of a. y is of floats where it widens.
template <class A, Dtype dtype, int M>
__global__ void few_rows_kernel(const A* a, const void* b, void* y, bool widens, int n_rows, int64_t N, int64_t K,
                                bool is_wide) {
  const int64_t n = (static_cast<int64_t>(blockIdx.x) * kWarpsPerBlock + threadIdx.x / kWarp) * kColumnsPerWarp;
  if (n >= N) return;
  const auto sums = dot_rows<kDtypeOf<A>, dtype, M, kColumnsPerWarp>(a, n_rows, b, n, N - n, K, is_wide);
  if (threadIdx.x % kWarp != 0) return;
#pragma unroll
  for (int r = 0; r < kColumnsPerWarp; ++r)
#pragma unroll
    for (int m = 0; m < M; ++m) {
      if (n + r >= N || m >= n_rows) continue;
      if (widens)
        static_cast<float*>(y)[m * N + n + r] = sums.sum[r][m];
      else
        static_cast<A*>(y)[m * N + n + r] = sums.sum[r][m];
    }
}

template <class A, Dtype dtype, int M>
void launch_few_rows(const KernelArgs& args, Stream stream) {
  const TensorView &a = args.inputs[0], &b = args.inputs[1], &y = args.outputs[0];
  const int64_t N = y.dim(1), K = b.dim(1);
  const bool is_wide = has_wide_rows(kDtypeOf<A>, a.data, K) && has_wide_rows(dtype, b.data, K);
  launch_kernel<few_rows_kernel<A, dtype, M>>(blocks_for(N, kWarpsPerBlock * kColumnsPerWarp), kWarpsPerBlock * kWarp,
                                              0, stream, static_cast<const A*>(a.data), b.data, y.data,
                                              y.type.dtype == Dtype::f32, static_cast<int>(y.dim(0)), N, K, is_wide);
}

void launch_decode(const KernelArgs& args, const Worker& me) {
  const int64_t M = args.outputs[0].dim(0);
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    with_weight_dtype(args.inputs[1].type.dtype, [&]<Dtype dtype>() {
      if (M == 1) return launch_few_rows<A, dtype, 1>(args, stream_of(me));
      if (M <= 4) return launch_few_rows<A, dtype, 4>(args, stream_of(me));
      launch_few_rows<A, dtype, kMaxRows>(args, stream_of(me));
    });
  });
}

// ---- BLAS ----

template <class A>
void multiply_by_panels(const KernelArgs& args, Stream stream) {
  const auto& op = static_cast<const Matmul&>(*args.op);
  const TensorView &a = args.inputs[0], &y = args.outputs[0];
  const RowOperand left{kDtypeOf<A>, a.data, op.trans_a, a.dim(1)};
  const int64_t K = a.dim(op.trans_a ? 0 : 1), bytes = y.type.dtype == Dtype::f32 ? 4 : 2;
  for_panels<A>(args.inputs[1], op.trans_b, args.scratch, stream, [&](const Panel& panel) {
    multiply(stream, {y.dim(0), panel.n, K, left, panel.numbers, y.type.dtype,
                      static_cast<std::byte*>(y.data) + panel.first * bytes, y.dim(1)});
  });
}

void launch_product(const KernelArgs& args, const Worker& me) {
  const TensorView& y = args.outputs[0];
  if (args.inputs[0].type.shape.n_elements() == 0)
    return clear_bytes(stream_of(me), y.data, static_cast<size_t>(y.type.bytes()));
  with_activations(args.inputs[0].type.dtype, [&]<class A>() { multiply_by_panels<A>(args, stream_of(me)); });
}

}  // namespace

template <>
Kernel kernel_for(const Matmul& op, Types inputs) {
  const TensorType &a = inputs[0], &b = inputs[1];
  if (a.dtype == Dtype::q8_0 || !reads_on_device(b.dtype)) return {};
  const int64_t M = a.shape[op.trans_a ? 1 : 0];
  if (!op.trans_a && op.trans_b && M >= 1 && M <= kMaxRows) return {launch_decode};
  return {launch_product, panel_bytes(b, a.dtype)};
}

}  // namespace hearth::HEARTH_GPU
