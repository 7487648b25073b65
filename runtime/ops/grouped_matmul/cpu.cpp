// grouped_matmul and grouped_outer, CPU
// math:     y[i] = x[i] · w[e(i)]ᵀ;  dw[e] = Σ over the rows i of e of a[i]ᵀ · b[i]
// shapes:   x [S,K] f32 or q8_0, by expert; w [E,N,K] or [E,K,N] any weight dtype; expert_begin [n+1] i32; y [S,N] f32;
//           w [E,N,K] may lie in panels
// traffic:  2·S·N·K flops over the bytes of the experts that have rows + S·(K+N)·4
// mapping:  expert by expert, the team shares the columns of y. In panels: kernels/dot_panels. Few rows for the experts
//           there are (decode): kernels/dot_rows, 8 rows at a time, or dot_q8, 32 at a time, where x is q8_0; else
//           kernels/gemm.
// needs:    nothing
// numerics: which of the two depends on shapes only, never on the router's choice: so a row's bits do not depend on
//           the rows beside it
#include "runtime/kernels/dot_panels.h"
#include "runtime/kernels/dot_q8.h"
#include "runtime/kernels/dot_rows.h"
#include "runtime/kernels/gemm.h"
#include "runtime/kernels/isa.h"
#include "runtime/ops/grouped_matmul/grouped_matmul.h"

namespace hearth::HEARTH_ISA {
namespace {

// Up to 4 rows an expert on average, reading an expert once for 8 rows costs at worst 1.5x of reading every expert
// once, even when all rows go to one expert; packing panels for gemm costs more.
constexpr int64_t kFewRowsAnExpert = 4;

int64_t min_of(int64_t a, int64_t b) {
  return a < b ? a : b;
}

struct Experts {
  int64_t n, bytes;  // bytes of one expert
  const char* w;
  const int32_t* begin;
};

Experts experts_of(const GroupedMatmul& op, const KernelArgs& args) {
  const TensorView& w = args.inputs[1];
  return {w.dim(0), w.type.bytes() / w.dim(0), w.as<const char>(), args.inputs[2].i32() + op.first_expert};
}

// Rows of experts that another shard has.
void clear_other_rows(const Experts& experts, const TensorView& y, const Worker& me) {
  const int64_t N = y.dim(1), first = experts.begin[0], last = experts.begin[experts.n];
  const auto [begin, end] = me.share(y.dim(0) - (last - first));
  for (int64_t i = begin; i < end; ++i)
    memset(y.f32() + (i < first ? i : i + last - first) * N, 0, static_cast<size_t>(N) * 4);
}

void run_few(const KernelArgs& args, const Worker& me) {
  const Experts experts = experts_of(static_cast<const GroupedMatmul&>(*args.op), args);
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const int64_t K = x.dim(1), N = y.dim(1);
  clear_other_rows(experts, y, me);
  for (int64_t e = 0; e < experts.n; ++e)
    for (int64_t i = experts.begin[e], end = experts.begin[e + 1]; i < end; i += kMaxDotRows)
      dot_rows(min_of(kMaxDotRows, end - i), N, K, x.f32() + i * K, args.inputs[1].type.dtype,
               experts.w + e * experts.bytes, y.f32() + i * N, me);
}

#if HEARTH_ISA_LEVEL > 0
template <bool kVnni>
void run_few_q8(const KernelArgs& args, const Worker& me) {
  const Experts experts = experts_of(static_cast<const GroupedMatmul&>(*args.op), args);
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const int64_t K = x.dim(1), N = y.dim(1), row_bytes = dtype_bytes(Dtype::q8_0, K);
  clear_other_rows(experts, y, me);
  for (int64_t e = 0; e < experts.n; ++e)
    for (int64_t i = experts.begin[e], end = experts.begin[e + 1]; i < end; i += kMaxIntegerDotRows)
      dot_q8(min_of(kMaxIntegerDotRows, end - i), N, K, x.as<const char>() + i * row_bytes, args.inputs[1].type.dtype,
             experts.w + e * experts.bytes, y.f32() + i * N, kVnni, me);
}

template <bool kVnni>
void run_panels(const KernelArgs& args, const Worker& me) {
  const Experts experts = experts_of(static_cast<const GroupedMatmul&>(*args.op), args);
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const int64_t K = x.dim(1), N = y.dim(1), row_bytes = dtype_bytes(Dtype::q8_0, K);
  clear_other_rows(experts, y, me);
  for (int64_t e = 0; e < experts.n; ++e) {
    const int64_t begin = experts.begin[e], n_rows = experts.begin[e + 1] - begin;
    if (n_rows > 0)
      dot_panels(n_rows, N, K, x.as<const char>() + begin * row_bytes, args.inputs[1].type.dtype,
                 experts.w + e * experts.bytes, y.f32() + begin * N, kVnni, me);
  }
}

Kernel kernel_for_panels(const TensorType& w) {
  if (w.layout != panels_for(w.dtype) || w.shape[1] % panel_rows(w.layout) != 0) return {};
  return {has_byte_products() ? run_panels<true> : run_panels<false>};
}
#else
Kernel kernel_for_panels(const TensorType&) {
  return {};
}
#endif

void run_many(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const GroupedMatmul&>(*args.op);
  const Experts experts = experts_of(op, args);
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const int64_t K = x.dim(1), N = y.dim(1), row_bytes = dtype_bytes(x.type.dtype, K);
  clear_other_rows(experts, y, me);
  for (int64_t e = 0; e < experts.n; ++e) {
    const int64_t begin = experts.begin[e], n_rows = experts.begin[e + 1] - begin;
    if (n_rows > 0)
      gemm({n_rows, N, K, x.as<const char>() + begin * row_bytes, false, args.inputs[1].type.dtype,
            experts.w + e * experts.bytes, op.trans_w, y.f32() + begin * N, x.type.dtype},
           me);
  }
}

void run_outer(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const GroupedOuter&>(*args.op);
  const TensorView &a = args.inputs[0], &b = args.inputs[1];
  const int64_t M = a.dim(1), N = b.dim(1);
  const int32_t* begin = args.inputs[2].i32() + op.first_expert;
  for (int64_t e = 0; e < op.n_experts; ++e)
    gemm({M, N, begin[e + 1] - begin[e], a.f32() + begin[e] * M, true, Dtype::f32, b.f32() + begin[e] * N, false,
          args.outputs[0].f32() + e * M * N},
         me);
}

}  // namespace

// No panel holds rows of two experts.
template <>
Layout layout_for(const GroupedMatmul& op, Types inputs, int operand) {
  if (operand != 1 || inputs[0].dtype != Dtype::q8_0 || !op.trans_w) return Layout::row_major;
  const Layout panels = panels_for(inputs[1].dtype);
  return inputs[1].shape[1] % panel_rows(panels) == 0 ? panels : Layout::row_major;
}

template <>
Kernel fixed_order_kernel_for(const GroupedMatmul& op, Types inputs) {
  if (inputs[1].layout != Layout::row_major) return kernel_for_panels(inputs[1]);
#if HEARTH_ISA_LEVEL > 0
  if (op.trans_w && inputs[0].dtype != Dtype::f32) return {has_byte_products() ? run_few_q8<true> : run_few_q8<false>};
#endif
  return {op.trans_w && inputs[0].dtype == Dtype::f32 ? run_few : run_many};
}

template <>
Kernel kernel_for(const GroupedMatmul& op, Types inputs) {
  if (inputs[1].layout != Layout::row_major) return kernel_for_panels(inputs[1]);
  const int64_t S = inputs[0].shape[0], E = inputs[1].shape[0];
  return S <= kFewRowsAnExpert * E ? fixed_order_kernel_for(op, inputs) : Kernel{run_many};
}
template <>
Kernel kernel_for(const GroupedOuter&, Types) {
  return {run_outer};
}

}  // namespace hearth::HEARTH_ISA
