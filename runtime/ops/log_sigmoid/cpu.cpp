// log_sigmoid, CPU
// math:     y = -log(1 + e^-x)
// shapes:   x, y f32 of one shape
// traffic:  8 B an element; losses have few elements, so this is no part of a step's time
// mapping:  elements split evenly
// needs:    nothing
// numerics: scalar.h's softplus: exact to rounding on both sides
#include "runtime/ops/log_sigmoid/log_sigmoid.h"

#include <cmath>

#include "runtime/kernels/isa.h"
#include "runtime/tensor/scalar.h"

namespace hearth::HEARTH_ISA {
namespace {

void run(const KernelArgs& args, const Worker& me) {
  const float* x = args.inputs[0].f32();
  const auto [begin, end] = me.share(args.outputs[0].shape().n_elements(), 64);
  for (int64_t i = begin; i < end; ++i) args.outputs[0].f32()[i] = -softplus(-x[i]);
}

}  // namespace

template <>
Kernel kernel_for(const LogSigmoid&, Types) {
  return {run};
}

}  // namespace hearth::HEARTH_ISA
