// swiglu_clamped and its backward, CPU
// math:     y = g σ(αg) (u + o), g = min(gate, limit), u = clamp(up, ±limit);  du = dy g s, dg = dy (u + o) (s + αg
//           s(1-s))
// shapes:   all f32 of one shape
// traffic:  12 B (backward 20 B) an element, ~30 flops: memory bound outside of the caches
// mapping:  elements split evenly in multiples of 64
// needs:    nothing
// numerics: simd.h's exp, about 1e-7 relative
#include "runtime/ops/swiglu_clamped/swiglu_clamped.h"

#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {
namespace {

void run_forward(const KernelArgs& args, const Worker& me) {
  const ClampedSwiglu form = static_cast<const SwigluClamped&>(*args.op).form;
  const float *gate = args.inputs[0].f32(), *up = args.inputs[1].f32();
  float* y = args.outputs[0].f32();
  const Vec limit = splat(form.limit);
  const auto [begin, end] = me.share(args.outputs[0].shape().n_elements(), 64);
  over(begin, end, [&](int64_t i, auto lanes) {
    const Vec g = min(load(gate + i, lanes), limit), u = max(min(load(up + i, lanes), limit), -limit);
    store(y + i, (u + form.offset) * g * sigmoid(form.alpha * g), lanes);
  });
}

void run_backward(const KernelArgs& args, const Worker& me) {
  const ClampedSwiglu form = static_cast<const SwigluClampedBackward&>(*args.op).form;
  const float *gate = args.inputs[0].f32(), *up = args.inputs[1].f32(), *dy = args.inputs[2].f32();
  float *dgate = args.outputs[0].f32(), *dup = args.outputs[1].f32();
  const Vec limit = splat(form.limit);
  const auto [begin, end] = me.share(args.outputs[0].shape().n_elements(), 64);
  over(begin, end, [&](int64_t i, auto lanes) {
    const Vec gate_i = load(gate + i, lanes), up_i = load(up + i, lanes), d = load(dy + i, lanes);
    const Vec g = min(gate_i, limit), u = max(min(up_i, limit), -limit), s = sigmoid(form.alpha * g);
    const Vec dg = d * (u + form.offset) * (s + form.alpha * g * s * (1.0f - s));
    store(dgate + i, select(gate_i > limit, Vec{}, dg), lanes);
    store(dup + i, select((up_i > limit) | (up_i < -limit), Vec{}, d * g * s), lanes);
  });
}

}  // namespace

template <>
Kernel kernel_for(const SwigluClamped&, Types) {
  return {run_forward};
}
template <>
Kernel kernel_for(const SwigluClampedBackward&, Types) {
  return {run_backward};
}

}  // namespace hearth::HEARTH_ISA
