// sum_rows, CPU
// math:     y[c] = Σ_t x[t,c]
// shapes:   x [...,C] f32, y [C] f32
// traffic:  4 B and 1 flop an element: memory bound
// mapping:  columns split in multiples of 64; each thread walks all rows
// needs:    nothing
// numerics: rows are added in order
#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"
#include "runtime/ops/sum_rows/sum_rows.h"

namespace hearth::HEARTH_ISA {
namespace {

void run(const KernelArgs& args, const Worker& me) {
  const float* x = args.inputs[0].f32();
  float* y = args.outputs[0].f32();
  const int64_t C = args.outputs[0].shape().n_elements();
  const int64_t T = C == 0 ? 0 : args.inputs[0].shape().n_elements() / C;
  const auto [begin, end] = me.share(C, 64);
  over(begin, end, [&](int64_t c, auto lanes) { store(y + c, Vec{}, lanes); });
  for (int64_t t = 0; t < T; ++t)
    over(begin, end,
         [&](int64_t c, auto lanes) { store(y + c, load(y + c, lanes) + load(x + t * C + c, lanes), lanes); });
}

}  // namespace

template <>
Kernel kernel_for(const SumRows&, Types) {
  return {run};
}

}  // namespace hearth::HEARTH_ISA
