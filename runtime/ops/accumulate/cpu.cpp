// accumulate, CPU
// math:     sum' = sum + x, or x where keep is 0
// shapes:   sum, x f32 of one shape, keep [1]
// traffic:  12 B and 1 flop an element: memory bound
// mapping:  elements split evenly in multiples of 64
// needs:    nothing; sum' may be sum
// numerics: exact per element
#include "runtime/ops/accumulate/accumulate.h"

#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {
namespace {

void run(const KernelArgs& args, const Worker& me) {
  const float *sum = args.inputs[0].f32(), *x = args.inputs[1].f32();
  float* out = args.outputs[0].f32();
  const auto [begin, end] = me.share(args.outputs[0].shape().n_elements(), 64);
  if (*args.inputs[2].f32() != 0)
    over(begin, end, [&](int64_t i, auto lanes) { store(out + i, load(sum + i, lanes) + load(x + i, lanes), lanes); });
  else
    memcpy(out + begin, x + begin, static_cast<size_t>(end - begin) * 4);
}

}  // namespace

template <>
Kernel kernel_for(const Accumulate&, Types) {
  return {run};
}

}  // namespace hearth::HEARTH_ISA
