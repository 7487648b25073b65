// layer_norm and its backward, CPU
// math:     y = z w + b with z = (x - mean) r, r[t] = 1 / sqrt(variance + eps)
//           dx = r (v - mean(v) - z mean(v z)) with v = w dy;  dw[c] = Σ_t dy z
// shapes:   x, dy, y, dx [T,C] f32, w, b, dw [C] f32; scratch [2T] f32: mean and r
// traffic:  8 B an element (backward 20 B, its second pass mostly from cache), ~8 flops: memory bound
// mapping:  tokens split for y and dx; then, after a barrier, columns split for dw
// needs:    nothing
// numerics: mean and variance in two passes, each sum in an order that depends on C only; dw in order of t
#include "runtime/ops/layer_norm/layer_norm.h"

#include <cmath>

#include "runtime/kernels/isa.h"
#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {
namespace {

// Σ_i f(i) over vectors, tails padded with zero.
template <class F>
HEARTH_INLINE float sum_of(int64_t n, F f) {
  Vec sum{};
  over(0, n, [&](int64_t i, auto lanes) { sum += with_fill(f(i, lanes), lanes, 0); });
  return sum_lanes(sum);
}

struct Moments {
  float mean, inverse_deviation;
};

Moments moments(const float* x, int64_t C, float eps) {
  const auto n = static_cast<float>(C);
  const float mean = sum_of(C, [&](int64_t i, auto lanes) { return load(x + i, lanes); }) / n;
  const float variance = sum_of(C,
                                [&](int64_t i, auto lanes) {
                                  const Vec d = load(x + i, lanes) - mean;
                                  return d * d;
                                }) /
                         n;
  return {mean, 1.0f / std::sqrt(variance + eps)};
}

void run_forward(const KernelArgs& args, const Worker& me) {
  const float eps = static_cast<const LayerNorm&>(*args.op).eps;
  const float *w = args.inputs[1].f32(), *b = args.inputs[2].f32();
  const int64_t C = args.inputs[0].shape().last();
  const auto [begin, end] = me.share(args.inputs[0].shape().n_rows());
  for (int64_t t = begin; t < end; ++t) {
    const float* x = args.inputs[0].f32() + t * C;
    float* y = args.outputs[0].f32() + t * C;
    const Moments m = moments(x, C, eps);
    over(0, C, [&](int64_t c, auto lanes) {
      store(y + c, (load(x + c, lanes) - m.mean) * m.inverse_deviation * load(w + c, lanes) + load(b + c, lanes),
            lanes);
    });
  }
}

void run_backward(const KernelArgs& args, const Worker& me) {
  const float eps = static_cast<const LayerNormBackward&>(*args.op).eps;
  const float *all_x = args.inputs[0].f32(), *w = args.inputs[1].f32(), *all_dy = args.inputs[2].f32();
  const int64_t T = args.inputs[0].shape().n_rows(), C = args.inputs[0].shape().last();
  auto* kept = reinterpret_cast<Moments*>(args.scratch);
  const auto [begin, end] = me.share(T);
  for (int64_t t = begin; t < end; ++t) {
    const float *x = all_x + t * C, *dy = all_dy + t * C;
    float* dx = args.outputs[0].f32() + t * C;
    const Moments m = kept[t] = moments(x, C, eps);
    auto z = [&](int64_t i, auto lanes) { return (load(x + i, lanes) - m.mean) * m.inverse_deviation; };
    auto v = [&](int64_t i, auto lanes) { return load(w + i, lanes) * load(dy + i, lanes); };
    const float mean_v = sum_of(C, v) / static_cast<float>(C);
    const float mean_vz =
        sum_of(C, [&](int64_t i, auto lanes) { return v(i, lanes) * z(i, lanes); }) / static_cast<float>(C);
    over(0, C, [&](int64_t c, auto lanes) {
      store(dx + c, m.inverse_deviation * (v(c, lanes) - mean_v - z(c, lanes) * mean_vz), lanes);
    });
  }
  me.sync();
  const auto [first, last] = me.share(C, 16);
  over(first, last, [&](int64_t c, auto lanes) {
    Vec sum{};
    for (int64_t t = 0; t < T; ++t)
      sum += load(all_dy + t * C + c, lanes) *
             ((load(all_x + t * C + c, lanes) - kept[t].mean) * kept[t].inverse_deviation);
    store(args.outputs[1].f32() + c, sum, lanes);
  });
}

}  // namespace

template <>
Kernel kernel_for(const LayerNorm&, Types) {
  return {run_forward};
}
template <>
Kernel kernel_for(const LayerNormBackward&, Types inputs) {
  return {run_backward, static_cast<size_t>(inputs[0].shape.n_rows()) * sizeof(Moments)};
}

}  // namespace hearth::HEARTH_ISA
