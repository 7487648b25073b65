// scale, CPU
// math:     y = factor * x
// shapes:   x, y f32 of one shape
// traffic:  8 B and 1 flop an element: memory bound
// mapping:  elements split evenly in multiples of 64
// needs:    nothing
// numerics: exact per element
#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"
#include "runtime/ops/scale/scale.h"

namespace hearth::HEARTH_ISA {
namespace {

void run(const KernelArgs& args, const Worker& me) {
  const float factor = static_cast<const Scale&>(*args.op).factor;
  const float* x = args.inputs[0].f32();
  float* y = args.outputs[0].f32();
  const auto [begin, end] = me.share(args.outputs[0].shape().n_elements(), 64);
  over(begin, end, [&](int64_t i, auto lanes) { store(y + i, load(x + i, lanes) * factor, lanes); });
}

}  // namespace

template <>
Kernel kernel_for(const Scale&, Types) {
  return {run};
}

}  // namespace hearth::HEARTH_ISA
