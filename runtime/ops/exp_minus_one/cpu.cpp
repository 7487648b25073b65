// exp_minus_one, CPU
// math:     y = e^x - 1
// shapes:   x, y f32 of one shape
// traffic:  8 B an element; losses have few elements, so this is no part of a step's time
// mapping:  elements split evenly
// needs:    nothing
// numerics: libm's expm1, exact to rounding for small x
#include "runtime/ops/exp_minus_one/exp_minus_one.h"

#include <cmath>

#include "runtime/kernels/isa.h"
#include "runtime/tensor/scalar.h"

namespace hearth::HEARTH_ISA {
namespace {

void run(const KernelArgs& args, const Worker& me) {
  const float* x = args.inputs[0].f32();
  const auto [begin, end] = me.share(args.outputs[0].shape().n_elements(), 64);
  for (int64_t i = begin; i < end; ++i) args.outputs[0].f32()[i] = expm1f(x[i]);
}

}  // namespace

template <>
Kernel kernel_for(const ExpMinusOne&, Types) {
  return {run};
}

}  // namespace hearth::HEARTH_ISA
