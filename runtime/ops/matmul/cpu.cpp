// matmul, CPU
// math:     y[m,n] = Σ_k op(a)[m,k] * op(b)[k,n]
// shapes:   a [M,K] f32 or q8_0, or [K,M] f32; b [K,N] or [N,K] any weight dtype; y [M,N] f32
// traffic:  2·M·N·K flops over M·K·4 + bytes(b) + M·N·4: memory bound below M of about 16, compute bound above
// mapping:  b transposed and M up to 8: kernels/dot_rows; a q8_0 and M up to 32: kernels/dot_q8; else kernels/gemm
// needs:    nothing; tails are masked
// numerics: fp32 sums; quantised weights, and q8_0 activations in gemm, are multiplied out to float first; dot_q8
//           multiplies levels as integers, exact within a block; fixed order over k for each path
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
  dot_rows(y.dim(0), y.dim(1), b.dim(1), a.f32(), b.type.dtype, b.data, y.f32(), me);
}

#if HEARTH_ISA_LEVEL > 0
template <bool kVnni>
void run_dot_q8(const KernelArgs& args, const Worker& me) {
  const TensorView &a = args.inputs[0], &b = args.inputs[1], &y = args.outputs[0];
  dot_q8(y.dim(0), y.dim(1), b.dim(1), a.data, b.type.dtype, b.data, y.f32(), kVnni, me);
}
#endif

}  // namespace

template <>
Kernel kernel_for(const Matmul& op, Types inputs) {
  const int64_t M = inputs[0].shape[op.trans_a ? 1 : 0];
#if HEARTH_ISA_LEVEL > 0
  if (inputs[0].dtype != Dtype::f32 && M <= kMaxIntegerDotRows)
    return {has_byte_products() ? run_dot_q8<true> : run_dot_q8<false>};
#endif
  if (inputs[0].dtype != Dtype::f32) return {run_gemm};
  if (!op.trans_a && op.trans_b && M <= kMaxDotRows) return {run_dot_rows};
  return {run_gemm};
}

}  // namespace hearth::HEARTH_ISA
