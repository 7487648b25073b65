// tanh and its backward, CPU
// math:     y = 2 σ(2x) - 1;  dx = dy (1 - y²)
// shapes:   all f32 of one shape
// traffic:  8 B (backward 12 B) an element, ~25 flops: memory bound outside of the caches
// mapping:  elements split evenly in multiples of 64
// needs:    nothing
// numerics: simd.h's exp: about 1e-7 absolute
#include "runtime/ops/tanh/tanh.h"

#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {
namespace {

void run_forward(const KernelArgs& args, const Worker& me) {
  const float* x = args.inputs[0].f32();
  float* y = args.outputs[0].f32();
  const auto [begin, end] = me.share(args.outputs[0].shape().n_elements(), 64);
  over(begin, end,
       [&](int64_t i, auto lanes) { store(y + i, 2.0f * sigmoid(2.0f * load(x + i, lanes)) - 1.0f, lanes); });
}

void run_backward(const KernelArgs& args, const Worker& me) {
  const float *y = args.inputs[0].f32(), *dy = args.inputs[1].f32();
  float* dx = args.outputs[0].f32();
  const auto [begin, end] = me.share(args.outputs[0].shape().n_elements(), 64);
  over(begin, end, [&](int64_t i, auto lanes) {
    const Vec v = load(y + i, lanes);
    store(dx + i, load(dy + i, lanes) * (1.0f - v * v), lanes);
  });
}

}  // namespace

template <>
Kernel kernel_for(const Tanh&, Types) {
  return {run_forward};
}
template <>
Kernel kernel_for(const TanhBackward&, Types) {
  return {run_backward};
}

}  // namespace hearth::HEARTH_ISA
