// gather_rows and scatter_add_rows, CPU
// math:     y[t] = table[ids[t] - row_begin];  dtable[ids[t] - row_begin] += dy[t]
// shapes:   table [V,C] any weight dtype, ids [T] i32, y and dy [T,C] f32, dtable [n_rows,C] f32
// traffic:  gather: bytes of T table rows + T·C·4; scatter: n_rows·C·4 zeroed + T·C·12: memory bound
// mapping:  gather splits tokens; scatter splits columns in multiples of 16, so that rows are added in order of t
// needs:    y f32
// numerics: exact widening; sums in order of t
#include "runtime/kernels/convert.h"
#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"
#include "runtime/ops/gather_rows/gather_rows.h"

namespace hearth::HEARTH_ISA {
namespace {

void run_gather(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const GatherRows&>(*args.op);
  const TensorView &table = args.inputs[0], &ids = args.inputs[1], &y = args.outputs[0];
  const int64_t n_rows = table.dim(0), C = table.dim(1);
  const auto [begin, end] = me.share(ids.dim(0));
  for (int64_t t = begin; t < end; ++t) {
    const int64_t row = ids.i32()[t] - op.row_begin;
    float* out = y.f32() + t * C;
    if (row >= 0 && row < n_rows)
      widen(table.type.dtype, table.data, row * C, out, C);
    else
      memset(out, 0, static_cast<size_t>(C) * 4);
  }
}

void run_scatter(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const ScatterAddRows&>(*args.op);
  const TensorView &ids = args.inputs[0], &dy = args.inputs[1], &dtable = args.outputs[0];
  const int64_t n_rows = dtable.dim(0), C = dtable.dim(1);
  const auto [begin, end] = me.share(C, 16);
  if (begin == end) return;
  for (int64_t r = 0; r < n_rows; ++r) memset(dtable.f32() + r * C + begin, 0, static_cast<size_t>(end - begin) * 4);
  for (int64_t t = 0; t < ids.dim(0); ++t) {
    const int64_t row = ids.i32()[t] - op.row_begin;
    if (row >= 0 && row < n_rows)
      add_scaled(dtable.f32() + row * C + begin, 1.0f, dy.f32() + t * C + begin, end - begin);
  }
}

}  // namespace

template <>
Kernel kernel_for(const GatherRows& op, Types) {
  if (op.to != Dtype::f32) return {};
  return {run_gather};
}
template <>
Kernel kernel_for(const ScatterAddRows&, Types) {
  return {run_scatter};
}

}  // namespace hearth::HEARTH_ISA
