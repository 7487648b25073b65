// silu and its backward, CPU
// math:     y = x σ(x);  dx = dy σ(x) (1 + x (1 - σ(x)))
// shapes:   all f32 of one shape
// traffic:  8 B (backward 12 B) an element, ~25 flops: memory bound outside of the caches
// mapping:  elements split evenly in multiples of 64
// needs:    nothing
// numerics: simd.h's exp, about 1e-7 relative
#include "runtime/ops/silu/silu.h"

#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {
namespace {

void run_forward(const KernelArgs& args, const Worker& me) {
  const float* x = args.inputs[0].f32();
  float* y = args.outputs[0].f32();
  const auto [begin, end] = me.share(args.outputs[0].shape().n_elements(), 64);
  over(begin, end, [&](int64_t i, auto lanes) {
    const Vec v = load(x + i, lanes);
    store(y + i, v * sigmoid(v), lanes);
  });
}

void run_backward(const KernelArgs& args, const Worker& me) {
  const float *x = args.inputs[0].f32(), *dy = args.inputs[1].f32();
  float* dx = args.outputs[0].f32();
  const auto [begin, end] = me.share(args.outputs[0].shape().n_elements(), 64);
  over(begin, end, [&](int64_t i, auto lanes) {
    const Vec v = load(x + i, lanes), s = sigmoid(v);
    store(dx + i, load(dy + i, lanes) * (s * (1.0f + v * (1.0f - s))), lanes);
  });
}

}  // namespace

template <>
Kernel kernel_for(const Silu&, Types) {
  return {run_forward};
}
template <>
Kernel kernel_for(const SiluBackward&, Types) {
  return {run_backward};
}

}  // namespace hearth::HEARTH_ISA
