// clamp and its backward, CPU
// math:     y = min(max(x, low), high);  dx = dy [low <= x <= high]
// shapes:   all f32 of one shape
// traffic:  8 B (backward 12 B) an element, 2 flops: memory bound
// mapping:  elements split evenly in multiples of 64
// needs:    nothing
// numerics: exact; what is not a number stays so
#include "runtime/ops/clamp/clamp.h"

#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {
namespace {

void run_forward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const Clamp&>(*args.op);
  const float* x = args.inputs[0].f32();
  float* y = args.outputs[0].f32();
  const auto [begin, end] = me.share(args.outputs[0].shape().n_elements(), 64);
  over(begin, end, [&](int64_t i, auto lanes) {
    store(y + i, min(splat(op.high), max(splat(op.low), load(x + i, lanes))), lanes);
  });
}

void run_backward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const ClampBackward&>(*args.op);
  const float *x = args.inputs[0].f32(), *dy = args.inputs[1].f32();
  float* dx = args.outputs[0].f32();
  const auto [begin, end] = me.share(args.outputs[0].shape().n_elements(), 64);
  over(begin, end, [&](int64_t i, auto lanes) {
    const Vec v = load(x + i, lanes);
    store(dx + i, select((v >= splat(op.low)) & (v <= splat(op.high)), load(dy + i, lanes), Vec{}), lanes);
  });
}

}  // namespace

template <>
Kernel kernel_for(const Clamp&, Types) {
  return {run_forward};
}
template <>
Kernel kernel_for(const ClampBackward&, Types) {
  return {run_backward};
}

}  // namespace hearth::HEARTH_ISA
