// swiglu and its backward, CPU
// math:     y = g σ(g) u;  du = dy g σ(g);  dg = dy u σ(g) (1 + g (1 - σ(g)))
// shapes:   all f32 of one shape
// traffic:  12 B (backward 20 B) an element, ~25 flops: memory bound outside of the caches
// mapping:  elements split evenly in multiples of 64
// needs:    nothing
// numerics: simd.h's exp, about 1e-7 relative
#include "runtime/ops/swiglu/swiglu.h"

#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {
namespace {

void run_forward(const KernelArgs& args, const Worker& me) {
  const float *gate = args.inputs[0].f32(), *up = args.inputs[1].f32();
  float* y = args.outputs[0].f32();
  const auto [begin, end] = me.share(args.outputs[0].shape().n_elements(), 64);
  over(begin, end, [&](int64_t i, auto lanes) {
    const Vec g = load(gate + i, lanes);
    store(y + i, g * sigmoid(g) * load(up + i, lanes), lanes);
  });
}

void run_backward(const KernelArgs& args, const Worker& me) {
  const float *gate = args.inputs[0].f32(), *up = args.inputs[1].f32(), *dy = args.inputs[2].f32();
  float *dgate = args.outputs[0].f32(), *dup = args.outputs[1].f32();
  const auto [begin, end] = me.share(args.outputs[0].shape().n_elements(), 64);
  over(begin, end, [&](int64_t i, auto lanes) {
    const Vec g = load(gate + i, lanes), s = sigmoid(g), d = load(dy + i, lanes);
    store(dgate + i, d * load(up + i, lanes) * (s * (1.0f + g * (1.0f - s))), lanes);
    store(dup + i, d * (g * s), lanes);
  });
}

}  // namespace

template <>
Kernel kernel_for(const Swiglu&, Types) {
  return {run_forward};
}
template <>
Kernel kernel_for(const SwigluBackward&, Types) {
  return {run_backward};
}

}  // namespace hearth::HEARTH_ISA
