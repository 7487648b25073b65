// matmul, CPU
// math:     y[m,n] = Σ_k op(a)[m,k] * op(b)[k,n]
// shapes:   a [M,K] f32 or q8_0, or [K,M] f32; b [K,N] or [N,K] any weight dtype, or [N,K] in panels; y [M,N] f32
// traffic:  2·M·N·K flops over M·K·4 + bytes(b) + M·N·4: memory bound below M of about 16, compute bound above
// mapping:  b in panels: kernels/dot_panels. b transposed and M up to 8: kernels/dot_rows; a q8_0 and M up to 32:
//           kernels/dot_q8; else kernels/gemm. In fixed order M does not matter
// needs:    nothing; tails are masked
// numerics: fp32 sums; quantised weights, and q8_0 activations in gemm, are multiplied out to float first; dot_q8
//           and dot_panels multiply levels as integers, exact within a block; fixed order over k for each path
#include "runtime/kernels/dot_panels.h"
#include "runtime/kernels/dot_q8.h"
#include "runtime/kernels/dot_rows.h"
#include "runtime/kernels/gemm.h"
#include "runtime/kernels/isa.h"
#include "runtime/ops/matmul/matmul.h"

namespace hearth::HEARTH_ISA {
namespace {

void run_gemm(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const Matmul&>(*args.op);
  const TensorView &a = args.inputs[0], &b = args.inputs[1], &y = args.outputs[0];
  gemm({y.dim(0), y.dim(1), a.dim(op.trans_a ? 0 : 1), a.data, op.trans_a, b.type.dtype, b.data, op.trans_b, y.f32(),
        a.type.dtype},
       me);
}

void run_dot_rows(const KernelArgs& args, const Worker& me) {
  const TensorView &a = args.inputs[0], &b = args.inputs[1], &y = args.outputs[0];
  const int64_t M = y.dim(0), N = y.dim(1), K = b.dim(1);
  for (int64_t m = 0; m < M; m += kMaxDotRows)
    dot_rows(M - m < kMaxDotRows ? M - m : kMaxDotRows, N, K, a.f32() + m * K, b.type.dtype, b.data, y.f32() + m * N,
             me);
}

#if HEARTH_ISA_LEVEL > 0
template <bool kVnni>
void run_dot_q8(const KernelArgs& args, const Worker& me) {
  const TensorView &a = args.inputs[0], &b = args.inputs[1], &y = args.outputs[0];
  const int64_t M = y.dim(0), N = y.dim(1), K = b.dim(1), most = kMaxIntegerDotRows;
  for (int64_t m = 0; m < M; m += most)
    dot_q8(M - m < most ? M - m : most, N, K, a.row(m), b.type.dtype, b.data, y.f32() + m * N, kVnni, me);
}

template <bool kVnni>
void run_dot_panels(const KernelArgs& args, const Worker& me) {
  const TensorView &a = args.inputs[0], &b = args.inputs[1], &y = args.outputs[0];
  dot_panels(y.dim(0), y.dim(1), b.dim(1), a.data, b.type.dtype, b.data, y.f32(), kVnni, me);
}

Kernel kernel_for_panels(const TensorType& b) {
  if (b.layout != panels_for(b.dtype)) return {};  // of another instruction set
  return {has_byte_products() ? run_dot_panels<true> : run_dot_panels<false>};
}
#else
Kernel kernel_for_panels(const TensorType&) {
  return {};
}
#endif

}  // namespace

template <>
Layout layout_for(const Matmul& op, Types inputs, int operand) {
  const bool is_integer_product = operand == 1 && inputs[0].dtype == Dtype::q8_0 && !op.trans_a && op.trans_b;
  return is_integer_product ? panels_for(inputs[1].dtype) : Layout::row_major;
}

template <>
Kernel fixed_order_kernel_for(const Matmul& op, Types inputs) {
  if (inputs[1].layout != Layout::row_major) return kernel_for_panels(inputs[1]);
#if HEARTH_ISA_LEVEL > 0
  if (inputs[0].dtype != Dtype::f32) return {has_byte_products() ? run_dot_q8<true> : run_dot_q8<false>};
#endif
  return {inputs[0].dtype == Dtype::f32 && !op.trans_a && op.trans_b ? run_dot_rows : run_gemm};
}

template <>
Kernel kernel_for(const Matmul& op, Types inputs) {
  if (inputs[1].layout != Layout::row_major) return kernel_for_panels(inputs[1]);
  const bool is_f32 = inputs[0].dtype == Dtype::f32;
  const int64_t M = inputs[0].shape[op.trans_a ? 1 : 0];
  return M <= (is_f32 ? kMaxDotRows : kMaxIntegerDotRows) ? fixed_order_kernel_for(op, inputs) : Kernel{run_gemm};
}

}  // namespace hearth::HEARTH_ISA
