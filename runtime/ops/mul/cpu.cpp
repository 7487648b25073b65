// mul, CPU
// math:     y = a * b
// shapes:   a, b, y f32 of one shape
// traffic:  12 B and 1 flop an element: memory bound
// mapping:  elements split evenly in multiples of 64
// needs:    nothing
// numerics: exact per element
#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"
#include "runtime/ops/mul/mul.h"

namespace hearth::HEARTH_ISA {
namespace {

void run(const KernelArgs& args, const Worker& me) {
  const float *a = args.inputs[0].f32(), *b = args.inputs[1].f32();
  float* y = args.outputs[0].f32();
  const auto [begin, end] = me.share(args.outputs[0].shape().n_elements(), 64);
  over(begin, end, [&](int64_t i, auto lanes) { store(y + i, load(a + i, lanes) * load(b + i, lanes), lanes); });
}

}  // namespace

CpuKernel kernel_for(const Mul&, Types) {
  return {run};
}

}  // namespace hearth::HEARTH_ISA

HEARTH_CPU_KERNEL(Mul)
