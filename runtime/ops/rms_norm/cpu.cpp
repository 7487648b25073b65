// rms_norm and its backward, CPU
// math:     y = x r w with r[t] = 1 / sqrt(mean_c(x²) + eps)
//           dx = r (w dy - x r² mean_c(w dy x));  dw[c] = Σ_t dy x r
// shapes:   x, dy, y, dx [T,C] f32, w, dw [C] f32; scratch [T] f32: r
// traffic:  8 B an element (backward 20 B, its second pass mostly from cache), ~4 flops: memory bound
// mapping:  tokens split for y and dx; then, after a barrier, columns split for dw
// needs:    nothing
// numerics: the mean in four partial sums whose order depends on C only; dw in blocks of 32 tokens, in order
#include "runtime/ops/rms_norm/rms_norm.h"

#include <cmath>

#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {
namespace {

float inverse_rms(const float* x, int64_t C, float eps) {
  return 1.0f / std::sqrt(dot(x, x, C) / static_cast<float>(C) + eps);
}

void run_forward(const KernelArgs& args, const Worker& me) {
  const float eps = static_cast<const RmsNorm&>(*args.op).eps;
  const float* w = args.inputs.size() > 1 ? args.inputs[1].f32() : nullptr;
  const int64_t T = args.inputs[0].shape().n_rows(), C = args.inputs[0].shape().last();
  const auto [begin, end] = me.share(T);
  for (int64_t t = begin; t < end; ++t) {
    const float* x = args.inputs[0].f32() + t * C;
    float* y = args.outputs[0].f32() + t * C;
    const float r = inverse_rms(x, C, eps);
    if (!w) {
      over(0, C, [&](int64_t c, auto lanes) { store(y + c, load(x + c, lanes) * r, lanes); });
      continue;
    }
    over(0, C, [&](int64_t c, auto lanes) { store(y + c, load(x + c, lanes) * r * load(w + c, lanes), lanes); });
  }
}

// Σ_c w dy x
float weighted_dot(const float* w, const float* dy, const float* x, int64_t C) {
  if (!w) return dot(dy, x, C);
  Vec s0{}, s1{};
  int64_t c = 0;
  for (; c + 2 * kLanes <= C; c += 2 * kLanes) {
    s0 += load(w + c) * load(dy + c) * load(x + c);
    s1 += load(w + c + kLanes) * load(dy + c + kLanes) * load(x + c + kLanes);
  }
  over(c, C, [&](int64_t i, auto lanes) { s0 += load(w + i, lanes) * load(dy + i, lanes) * load(x + i, lanes); });
  return sum_lanes(s0 + s1);
}

void add_weight_gradient(const KernelArgs& args, const float* r, int64_t begin, int64_t end) {
  constexpr int64_t kBlock = 32;
  const int64_t T = args.inputs[0].shape().n_rows(), C = args.inputs[0].shape().last();
  const float *x = args.inputs[0].f32(), *dy = args.inputs[2].f32();
  float* dw = args.outputs[1].f32();
  over(begin, end, [&](int64_t c, auto lanes) {
    Vec sum{};
    for (int64_t t0 = 0; t0 < T; t0 += kBlock) {
      Vec block{};
      const int64_t t_end = t0 + kBlock < T ? t0 + kBlock : T;
      for (int64_t t = t0; t < t_end; ++t) block += load(dy + t * C + c, lanes) * (load(x + t * C + c, lanes) * r[t]);
      sum += block;
    }
    store(dw + c, sum, lanes);
  });
}

void run_backward(const KernelArgs& args, const Worker& me) {
  const float eps = static_cast<const RmsNormBackward&>(*args.op).eps;
  const bool has_w = args.inputs.size() > 2;
  const float *w = has_w ? args.inputs[1].f32() : nullptr, *all_dy = args.inputs[has_w ? 2 : 1].f32();
  const int64_t T = args.inputs[0].shape().n_rows(), C = args.inputs[0].shape().last();
  auto* inverse = reinterpret_cast<float*>(args.scratch);
  const auto [begin, end] = me.share(T);
  for (int64_t t = begin; t < end; ++t) {
    const float *x = args.inputs[0].f32() + t * C, *dy = all_dy + t * C;
    float* dx = args.outputs[0].f32() + t * C;
    const float r = inverse_rms(x, C, eps);
    const float along_x = r * r * weighted_dot(w, dy, x, C) / static_cast<float>(C);
    inverse[t] = r;
    over(0, C, [&](int64_t c, auto lanes) {
      const Vec v = w ? load(w + c, lanes) * load(dy + c, lanes) : load(dy + c, lanes);
      store(dx + c, r * (v - load(x + c, lanes) * along_x), lanes);
    });
  }
  if (!has_w) return;
  me.sync();
  const auto [first, last] = me.share(C, 16);
  add_weight_gradient(args, inverse, first, last);
}

}  // namespace

template <>
Kernel kernel_for(const RmsNorm&, Types) {
  return {run_forward};
}
template <>
Kernel kernel_for(const RmsNormBackward&, Types inputs) {
  return {run_backward, static_cast<size_t>(inputs[0].shape.n_rows()) * sizeof(float)};
}

}  // namespace hearth::HEARTH_ISA
