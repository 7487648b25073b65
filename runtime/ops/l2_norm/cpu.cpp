// l2_norm and its backward, CPU
// math:     y = scale x / sqrt(Σ x² + eps);  dx = scale r (dy - x r² Σ x dy), r = 1 / sqrt(Σ x² + eps)
// shapes:   x, y, dx, dy [...,C] f32
// traffic:  8 B (backward 12 B) an element: memory bound
// mapping:  rows split
// needs:    nothing
// numerics: fp32; the order of a row's sum depends on C only
#include "runtime/ops/l2_norm/l2_norm.h"

#include <cmath>

#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {
namespace {

void run_forward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const L2Norm&>(*args.op);
  const int64_t C = args.inputs[0].shape().last();
  const auto [begin, end] = me.share(args.inputs[0].shape().n_rows());
  for (int64_t row = begin; row < end; ++row) {
    const float* x = args.inputs[0].f32() + row * C;
    float* y = args.outputs[0].f32() + row * C;
    const float r = op.scale / std::sqrt(dot(x, x, C) + op.eps);
    over(0, C, [&](int64_t c, auto lanes) { store(y + c, load(x + c, lanes) * r, lanes); });
  }
}

void run_backward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const L2NormBackward&>(*args.op);
  const int64_t C = args.inputs[0].shape().last();
  const auto [begin, end] = me.share(args.inputs[0].shape().n_rows());
  for (int64_t row = begin; row < end; ++row) {
    const float *x = args.inputs[0].f32() + row * C, *dy = args.inputs[1].f32() + row * C;
    float* dx = args.outputs[0].f32() + row * C;
    const float r = 1 / std::sqrt(dot(x, x, C) + op.eps), k = r * r * dot(x, dy, C), s = op.scale * r;
    over(0, C,
         [&](int64_t c, auto lanes) { store(dx + c, (load(dy + c, lanes) - load(x + c, lanes) * k) * s, lanes); });
  }
}

}  // namespace

template <>
Kernel kernel_for(const L2Norm&, Types) {
  return {run_forward};
}
template <>
Kernel kernel_for(const L2NormBackward&, Types) {
  return {run_backward};
}

}  // namespace hearth::HEARTH_ISA
