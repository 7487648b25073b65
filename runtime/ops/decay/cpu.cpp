// decay and its backward, CPU
// math:     step = min(max(softplus(a + bias), min), max), log_decay = -e^a_log step
// shapes:   a, log_decay, step [T,H], a_log, bias [H] f32
// traffic:  12 B an element; H is small, so this is a small part of any model
// mapping:  forward: tokens split; backward: heads split, so that sums over tokens keep their order
// needs:    nothing
// numerics: scalar libm functions, as the reference; sums in double
#include "runtime/ops/decay/decay.h"

#include <cmath>

#include "runtime/kernels/isa.h"
#include "runtime/tensor/scalar.h"

namespace hearth::HEARTH_ISA {
namespace {

float clamped(float x, float low, float high) {
  const float above = x < low ? low : x;
  return above > high ? high : above;
}

void run_forward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const Decay&>(*args.op);
  const float *a = args.inputs[0].f32(), *a_log = args.inputs[1].f32(), *bias = args.inputs[2].f32();
  const int64_t H = args.inputs[0].dim(1);
  const auto [begin, end] = me.share(args.inputs[0].dim(0));
  for (int64_t h = 0; h < H; ++h) {
    const float rate = -std::exp(a_log[h]);
    for (int64_t i = begin * H + h; i < end * H; i += H) {
      const float step = clamped(softplus(a[i] + bias[h]), op.min_step, op.max_step);
      args.outputs[0].f32()[i] = rate * step;
      args.outputs[1].f32()[i] = step;
    }
  }
}

void run_backward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const DecayBackward&>(*args.op);
  const int64_t T = args.inputs[0].dim(0), H = args.inputs[0].dim(1);
  const float* dlog_decay = op.has_dlog_decay ? args.inputs[3].f32() : nullptr;
  const float* dstep = op.has_dstep ? args.inputs[op.has_dlog_decay ? 4 : 3].f32() : nullptr;
  const auto [first, last] = me.share(H);
  for (int64_t h = first; h < last; ++h) {
    const float rate = -std::exp(args.inputs[1].f32()[h]), bias = args.inputs[2].f32()[h];
    double da_log = 0, dbias = 0;
    for (int64_t i = h; i < T * H; i += H) {
      const float x = args.inputs[0].f32()[i] + bias, free_step = softplus(x);
      const float step = clamped(free_step, op.min_step, op.max_step);
      const float dlog = dlog_decay != nullptr ? dlog_decay[i] : 0, ds = dstep != nullptr ? dstep[i] : 0;
      const float da = step == free_step ? (dlog * rate + ds) * sigmoid(x) : 0;
      args.outputs[0].f32()[i] = da;
      da_log += static_cast<double>(dlog) * rate * step;
      dbias += da;
    }
    args.outputs[1].f32()[h] = static_cast<float>(da_log);
    args.outputs[2].f32()[h] = static_cast<float>(dbias);
  }
}

}  // namespace

template <>
Kernel kernel_for(const Decay&, Types) {
  return {run_forward};
}
template <>
Kernel kernel_for(const DecayBackward&, Types) {
  return {run_backward};
}

}  // namespace hearth::HEARTH_ISA
