// scale_by_position, CPU
// math:     y[t,c] = x[t,c] (1 + beta ln(1 + floor(positions[t] / period)))
// shapes:   x, y [T,...] f32, positions [T] i32
// traffic:  8 B and 1 flop an element: memory bound
// mapping:  tokens split
// needs:    nothing
// numerics: the factor as in the reference
#include "runtime/ops/scale_by_position/scale_by_position.h"

#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {
namespace {

void run(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const ScaleByPosition&>(*args.op);
  const int64_t T = args.inputs[0].dim(0), C = T == 0 ? 0 : args.inputs[0].shape().n_elements() / T;
  const auto [begin, end] = me.share(T);
  for (int64_t t = begin; t < end; ++t) {
    const float factor = op.factor(args.inputs[1].i32()[t]);
    const float* x = args.inputs[0].f32() + t * C;
    float* y = args.outputs[0].f32() + t * C;
    over(0, C, [&](int64_t c, auto lanes) { store(y + c, load(x + c, lanes) * factor, lanes); });
  }
}

}  // namespace

template <>
Kernel kernel_for(const ScaleByPosition&, Types) {
  return {run};
}

}  // namespace hearth::HEARTH_ISA
