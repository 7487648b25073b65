// cast, CPU
// math:     y = x
// shapes:   x, y of one shape, each f32 or bf16
// traffic:  2 or 4 B read and written an element: memory bound
// mapping:  elements split evenly in multiples of 64
// needs:    nothing
// numerics: exact, or rounded to nearest even
#include "runtime/kernels/convert.h"
#include "runtime/kernels/isa.h"
#include "runtime/ops/cast/cast.h"

namespace hearth::HEARTH_ISA {
namespace {

void run(const KernelArgs& args, const Worker& me) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const auto [begin, end] = me.share(x.shape().n_elements(), 64);
  if (y.type.dtype == Dtype::f32) return widen(x.type.dtype, x.data, begin, y.f32() + begin, end - begin);
  if (x.type.dtype == Dtype::f32)
    return from_float(y.type.dtype, x.f32() + begin, y.as<uint16_t>() + begin, end - begin);
  memcpy(y.as<uint16_t>() + begin, x.as<uint16_t>() + begin, static_cast<size_t>(end - begin) * sizeof(uint16_t));
}

}  // namespace

template <>
Kernel kernel_for(const Cast&, Types) {
  return {run};
}

}  // namespace hearth::HEARTH_ISA
