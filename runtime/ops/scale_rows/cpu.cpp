// scale_rows and row_dots, CPU
// math:     y[t] = s[t] x[t];  s[t] = Σ_c a[t,c] b[t,c]
// shapes:   x, y, a, b [T,C], s [T,1] f32
// traffic:  8 B an element: memory bound
// mapping:  rows split
// needs:    nothing
// numerics: fp32; the order of a row's sum depends on C only
#include "runtime/ops/scale_rows/scale_rows.h"

#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {
namespace {

void run_scale(const KernelArgs& args, const Worker& me) {
  const int64_t C = args.inputs[0].dim(1);
  const auto [begin, end] = me.share(args.inputs[0].dim(0));
  for (int64_t t = begin; t < end; ++t) {
    const float *x = args.inputs[0].f32() + t * C, s = args.inputs[1].f32()[t];
    float* y = args.outputs[0].f32() + t * C;
    over(0, C, [&](int64_t c, auto lanes) { store(y + c, load(x + c, lanes) * s, lanes); });
  }
}

void run_dots(const KernelArgs& args, const Worker& me) {
  const int64_t C = args.inputs[0].dim(1);
  const auto [begin, end] = me.share(args.inputs[0].dim(0));
  for (int64_t t = begin; t < end; ++t)
    args.outputs[0].f32()[t] = dot(args.inputs[0].f32() + t * C, args.inputs[1].f32() + t * C, C);
}

}  // namespace

template <>
Kernel kernel_for(const ScaleRows&, Types) {
  return {run_scale};
}
template <>
Kernel kernel_for(const RowDots&, Types) {
  return {run_dots};
}

}  // namespace hearth::HEARTH_ISA
