// adamw, CPU
// math:     see adamw.h
// shapes:   w, m, v, grad f32 of one shape, scale [1], rates [3]
// traffic:  reads w, m, v, grad, writes w, m, v: 28 B an element, ~15 flops: memory bound
// mapping:  elements split evenly in multiples of 64
// needs:    nothing; outputs may be the first three inputs
// numerics: element-wise f32, no product fused with a sum: the same bits at every instruction set (CMakeLists.txt)
#include "runtime/ops/adamw/adamw.h"

#include <cmath>

#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {
namespace {

HEARTH_INLINE Vec square_root(Vec x) {
#if HEARTH_ISA_LEVEL == 2
  return _mm512_sqrt_ps(x);
#elif HEARTH_ISA_LEVEL == 1
  return _mm256_sqrt_ps(x);
#else
  for (int i = 0; i < kLanes; ++i) x[i] = std::sqrt(x[i]);
  return x;
#endif
}

void run(const KernelArgs& args, const Worker& me) {
  const AdamW::Attributes& a = static_cast<const AdamW&>(*args.op).a;
  const float *w = args.inputs[0].f32(), *m = args.inputs[1].f32(), *v = args.inputs[2].f32(),
              *g = args.inputs[3].f32(), *rates = args.inputs[5].f32();
  float *new_w = args.outputs[0].f32(), *new_m = args.outputs[1].f32(), *new_v = args.outputs[2].f32();
  const float scale = *args.inputs[4].f32(), rate = rates[0], correct1 = rates[1], correct2 = rates[2];
  const auto [begin, end] = me.share(args.outputs[0].shape().n_elements(), 64);
  if (!std::isfinite(scale)) {
    const auto n = static_cast<size_t>(end - begin) * 4;
    if (new_w == w) return;  // the same bytes already
    memcpy(new_w + begin, w + begin, n), memcpy(new_m + begin, m + begin, n), memcpy(new_v + begin, v + begin, n);
    return;
  }
  over(begin, end, [&](int64_t i, auto lanes) {
    const Vec gradient = scale * load(g + i, lanes);
    const Vec old_w = load(w + i, lanes), old_m = load(m + i, lanes), old_v = load(v + i, lanes);
    const Vec mean = old_m + (1 - a.beta1) * (gradient - old_m);
    const Vec square = old_v + (1 - a.beta2) * (gradient * gradient - old_v);
    const Vec direction = mean * correct1 / (square_root(square * correct2) + a.eps);
    store(new_m + i, mean, lanes);
    store(new_v + i, square, lanes);
    store(new_w + i, old_w - rate * (direction + a.weight_decay * old_w), lanes);
  });
}

}  // namespace

template <>
Kernel kernel_for(const AdamW&, Types) {
  return {run};
}

}  // namespace hearth::HEARTH_ISA
