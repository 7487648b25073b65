// rope, CPU
// math:     pairs (x_i, x_{i+n}) or (x_2i, x_2i+1) rotated by positions[t] * inverse_frequencies[i], times magnitude
// shapes:   x, y [T,N,D] f32, positions [T] i32
// traffic:  8 B and 3 flops an element: memory bound; the cosines of a token are computed once for its N heads
// mapping:  tokens split
// needs:    positions below 2^20 for full accuracy of the vectorised sine and cosine
// numerics: the angle is the float product, as in the reference; sine and cosine to about 1e-7
#include "runtime/ops/rope/rope.h"

#include <cmath>

#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"
#include "runtime/kernels/thread_scratch.h"

namespace hearth::HEARTH_ISA {
namespace {

// sin and cos by reduction to [-pi/4, pi/4] with pi/2 in two parts (exact products by FMA), and two polynomials.
HEARTH_INLINE void sin_cos(Vec x, Vec& sine, Vec& cosine) {
#if HEARTH_ISA_LEVEL == 0
  for (int i = 0; i < kLanes; ++i) {
    sine[i] = std::sin(x[i]);
    cosine[i] = std::cos(x[i]);
  }
#else
  constexpr float kHalfPiHigh = 1.57079637050628662109375f, kHalfPiLow = -4.37113900018624283e-8f;
  const Vec magic = splat(12582912.0f);
  const Vec shifted = x * 0.636619772367581343f + magic;
  const Vec n = shifted - magic;
  const IntVec quadrant = as_int(shifted) & 3;
  const Vec r = (x - n * kHalfPiHigh) - n * kHalfPiLow;
  const Vec r2 = r * r;
  Vec s = splat(-1.9515295891e-4f);
  s = s * r2 + 8.3321608736e-3f;
  s = s * r2 - 1.6666654611e-1f;
  s = s * r2 * r + r;
  Vec c = splat(2.443315711809948e-5f);
  c = c * r2 - 1.388731625493765e-3f;
  c = c * r2 + 4.166664568298827e-2f;
  c = c * r2 * r2 - 0.5f * r2 + 1.0f;
  const IntVec odd = (quadrant & 1) != 0;
  const Vec s_part = select(odd, c, s), c_part = select(odd, s, c);
  sine = as_float(as_int(s_part) ^ ((quadrant & 2) << 30));
  cosine = as_float(as_int(c_part) ^ (((quadrant + 1) & 2) << 30));
#endif
}

void rotate_neighbours(const float* x, const float* cosines, const float* sines, int64_t n_pairs, float* y) {
  for (int64_t i = 0; i < n_pairs; ++i) {
    const float a = x[2 * i], b = x[2 * i + 1];
    y[2 * i] = a * cosines[i] - b * sines[i];
    y[2 * i + 1] = b * cosines[i] + a * sines[i];
  }
}

void run(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const Rope&>(*args.op);
  const int64_t D = op.head_dim, half = op.n_pairs(), n_heads = args.inputs[0].dim(1), width = n_heads * D;
  const float* frequencies = op.inverse_frequencies.data();
  const float sign = op.inverse ? -1.0f : 1.0f;
  float* cosines = thread_scratch(static_cast<size_t>(2 * half));
  float* sines = cosines + half;
  const auto [begin, end] = me.share(args.inputs[0].dim(0));
  for (int64_t t = begin; t < end; ++t) {
    const auto position = static_cast<float>(args.inputs[1].i32()[t]);
    over(0, half, [&](int64_t i, auto lanes) {
      Vec sine, cosine;
      sin_cos(load(frequencies + i, lanes) * position, sine, cosine);
      store(sines + i, sine * (sign * op.magnitude), lanes);
      store(cosines + i, cosine * op.magnitude, lanes);
    });
    for (int64_t h = 0; h < n_heads; ++h) {
      const float* x = args.inputs[0].f32() + t * width + h * D;
      float* y = args.outputs[0].f32() + t * width + h * D;
      if (2 * half < D) memcpy(y, x, static_cast<size_t>(D) * 4);
      x += op.layout.begin;
      y += op.layout.begin;
      if (op.layout.interleaved) {
        rotate_neighbours(x, cosines, sines, half, y);
        continue;
      }
      over(0, half, [&](int64_t i, auto lanes) {
        const Vec a = load(x + i, lanes), b = load(x + half + i, lanes);
        const Vec c = load(cosines + i, lanes), s = load(sines + i, lanes);
        store(y + i, a * c - b * s, lanes);
        store(y + half + i, b * c + a * s, lanes);
      });
    }
  }
}

}  // namespace

template <>
Kernel kernel_for(const Rope&, Types) {
  return {run};
}

}  // namespace hearth::HEARTH_ISA
