// add, CPU
// math:     y = a + b, or y[r,c] = a[r,c] + b[c]
// shapes:   a [..., C] f32, b like a or [C]; y like a
// traffic:  12 B and 1 flop an element: memory bound
// mapping:  elements split evenly in multiples of 64; the row form splits rows
// needs:    nothing
// numerics: exact per element
#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"
#include "runtime/ops/add/add.h"

namespace hearth::HEARTH_ISA {
namespace {

void run_same_shape(const KernelArgs& args, const Worker& me) {
  const float *a = args.inputs[0].f32(), *b = args.inputs[1].f32();
  float* y = args.outputs[0].f32();
  const auto [begin, end] = me.share(args.outputs[0].shape().n_elements(), 64);
  over(begin, end, [&](int64_t i, auto lanes) { store(y + i, load(a + i, lanes) + load(b + i, lanes), lanes); });
}

void run_row(const KernelArgs& args, const Worker& me) {
  const float *a = args.inputs[0].f32(), *b = args.inputs[1].f32();
  float* y = args.outputs[0].f32();
  const int64_t C = args.inputs[1].shape().n_elements();
  const auto [begin, end] = me.share(args.outputs[0].shape().n_rows());
  for (int64_t r = begin; r < end; ++r)
    over(0, C,
         [&](int64_t c, auto lanes) { store(y + r * C + c, load(a + r * C + c, lanes) + load(b + c, lanes), lanes); });
}

}  // namespace

template <>
Kernel kernel_for(const Add&, Types inputs) {
  return {inputs[0].shape == inputs[1].shape ? run_same_shape : run_row};
}

}  // namespace hearth::HEARTH_ISA
