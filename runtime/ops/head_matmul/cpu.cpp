// head_matmul and head_outer, CPU
// math:     y[t,h] = x[t,h] · w[h]ᵀ;  dw[h] = Σ_t a[t,h]ᵀ · b[t,h]
// shapes:   x [T,H,K] f32, w [H,N,K] or [H,K,N] any weight dtype, y [T,H,N] f32
// traffic:  2·T·H·N·K flops over bytes(w) + T·H·(K + N)·4: memory bound below T of about 16
// mapping:  heads are split: a thread computes whole heads, by kernels/dot_rows (few tokens, w [H,N,K]) or
//           kernels/gemm, with the head's columns copied together
// needs:    nothing
// numerics: fp32, sums in the fixed order of the two kernels; which one depends on shapes only
#include <cstring>

#include "runtime/kernels/dot_rows.h"
#include "runtime/kernels/gemm.h"
#include "runtime/kernels/isa.h"
#include "runtime/ops/head_matmul/head_matmul.h"

namespace hearth::HEARTH_ISA {
namespace {

// Rows [T, n] of one head out of x [T, H·n], or back.
void gather(const float* x, int64_t T, int64_t H, int64_t h, int64_t n, float* out) {
  for (int64_t t = 0; t < T; ++t) memcpy(out + t * n, x + (t * H + h) * n, static_cast<size_t>(n) * 4);
}
void scatter(const float* rows, int64_t T, int64_t H, int64_t h, int64_t n, float* y) {
  for (int64_t t = 0; t < T; ++t) memcpy(y + (t * H + h) * n, rows + t * n, static_cast<size_t>(n) * 4);
}

void dot_all_rows(int64_t T, int64_t N, int64_t K, const float* rows, Dtype dtype, const void* matrix, float* out) {
  for (int64_t t = 0; t < T; t += kMaxDotRows)
    dot_rows(T - t < kMaxDotRows ? T - t : kMaxDotRows, N, K, rows + t * K, dtype, matrix, out + t * N, Worker{});
}

template <bool kFixedOrder>
void run_forward(const KernelArgs& args, const Worker& me) {
  const bool trans_w = static_cast<const HeadMatmul&>(*args.op).trans_w;
  const TensorView &x = args.inputs[0], &w = args.inputs[1], &y = args.outputs[0];
  const int64_t T = x.dim(0), H = w.dim(0), K = x.dim(2), N = y.dim(2);
  const Dtype dtype = w.type.dtype;
  auto* memory = reinterpret_cast<float*>(args.scratch);
  const auto [begin, end] = me.share(H);
  for (int64_t h = begin; h < end; ++h) {
    float *rows = memory + h * T * (K + N), *out = rows + T * K;
    const char* matrix = w.as<const char>() + h * dtype_bytes(dtype, N * K);
    gather(x.f32(), T, H, h, K, rows);
    if (trans_w && (kFixedOrder || T <= kMaxDotRows))
      dot_all_rows(T, N, K, rows, dtype, matrix, out);
    else
      gemm({T, N, K, rows, false, dtype, matrix, trans_w, out}, Worker{});
    scatter(out, T, H, h, N, y.f32());
  }
}

void run_outer(const KernelArgs& args, const Worker& me) {
  const TensorView &a = args.inputs[0], &b = args.inputs[1], &out = args.outputs[0];
  const int64_t T = a.dim(0), H = out.dim(0), M = out.dim(1), N = out.dim(2);
  auto* memory = reinterpret_cast<float*>(args.scratch);
  const auto [begin, end] = me.share(H);
  for (int64_t h = begin; h < end; ++h) {
    float *rows_a = memory + h * T * (M + N), *rows_b = rows_a + T * M;
    gather(a.f32(), T, H, h, M, rows_a);
    gather(b.f32(), T, H, h, N, rows_b);
    gemm({M, N, T, rows_a, true, Dtype::f32, rows_b, false, out.f32() + h * M * N}, Worker{});
  }
}

}  // namespace

static size_t forward_scratch(const HeadMatmul& op, Types inputs) {
  const Shape &x = inputs[0].shape, &w = inputs[1].shape;
  const int64_t floats = x.n_elements() + x[0] * w[0] * w[op.trans_w ? 1 : 2];
  return static_cast<size_t>(floats) * sizeof(float);
}
template <>
Kernel kernel_for(const HeadMatmul& op, Types inputs) {
  return {run_forward<false>, forward_scratch(op, inputs)};
}
template <>
Kernel fixed_order_kernel_for(const HeadMatmul& op, Types inputs) {
  return {run_forward<true>, forward_scratch(op, inputs)};
}
template <>
Kernel kernel_for(const HeadOuter&, Types inputs) {
  return {run_outer, static_cast<size_t>(inputs[0].shape.n_elements() + inputs[1].shape.n_elements()) * sizeof(float)};
}

}  // namespace hearth::HEARTH_ISA
