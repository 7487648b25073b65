// gelu and its backward, CPU
// math:     y = x Φ(x);  dx = dy (Φ(x) + x φ(x)), or with Φ by tanh: Φ(x) = σ(2u), u = sqrt(2/π) (x + 0.044715 x³)
// shapes:   all f32 of one shape
// traffic:  8 B (backward 12 B) an element, ~30 flops: memory bound outside of the caches
// mapping:  elements split evenly in multiples of 64
// needs:    nothing
// numerics: simd.h's exp; the error function by Abramowitz and Stegun 7.1.26, 1.5e-7 absolute
#include "runtime/ops/gelu/gelu.h"

#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {
namespace {

constexpr float kTwoRootTwoOverPi = 1.59576912160573071f, kCubic = 0.044715f;

// Φ(x) = (1 + erf(x / √2)) / 2. With z = |x| / √2 and t = 1 / (1 + p z): erfc(z) = t P(t) e^{-z²}.
HEARTH_INLINE Vec normal_cdf(Vec x) {
  const Vec z = max(x, -x) * 0.707106781186547524f;
  const Vec t = 1.0f / (1.0f + 0.3275911f * z);
  Vec p = splat(1.061405429f);
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const Vec half_erfc = 0.5f * p * t * exp(-z * z);
  return select(x < Vec{}, half_erfc, 1.0f - half_erfc);
}

HEARTH_INLINE Vec tanh_cdf(Vec x) {
  return sigmoid(kTwoRootTwoOverPi * (x + kCubic * x * x * x));
}

template <bool tanh>
HEARTH_INLINE Vec derivative(Vec x) {
  if constexpr (tanh) {
    const Vec s = tanh_cdf(x);
    return s + x * s * (1.0f - s) * (kTwoRootTwoOverPi * (1.0f + 3.0f * kCubic * x * x));
  }
  return normal_cdf(x) + x * (0.398942280401432678f * exp(-0.5f * x * x));
}

template <bool tanh>
void run_forward(const KernelArgs& args, const Worker& me) {
  const float* x = args.inputs[0].f32();
  float* y = args.outputs[0].f32();
  const auto [begin, end] = me.share(args.outputs[0].shape().n_elements(), 64);
  over(begin, end, [&](int64_t i, auto lanes) {
    const Vec v = load(x + i, lanes);
    store(y + i, v * (tanh ? tanh_cdf(v) : normal_cdf(v)), lanes);
  });
}

template <bool tanh>
void run_backward(const KernelArgs& args, const Worker& me) {
  const float *x = args.inputs[0].f32(), *dy = args.inputs[1].f32();
  float* dx = args.outputs[0].f32();
  const auto [begin, end] = me.share(args.outputs[0].shape().n_elements(), 64);
  over(begin, end, [&](int64_t i, auto lanes) {
    store(dx + i, load(dy + i, lanes) * derivative<tanh>(load(x + i, lanes)), lanes);
  });
}

}  // namespace

template <>
Kernel kernel_for(const Gelu& op, Types) {
  return {op.tanh ? run_forward<true> : run_forward<false>};
}
template <>
Kernel kernel_for(const GeluBackward& op, Types) {
  return {op.tanh ? run_backward<true> : run_backward<false>};
}

}  // namespace hearth::HEARTH_ISA
