// adamw, CUDA
// math:     see adamw.h
// shapes:   w, m, v, grad f32 of one shape, scale [1], rates [3]
// traffic:  28 B an element: memory bound
// mapping:  one thread an element
// needs:    nothing; outputs may be the first three inputs
// numerics: element-wise f32
#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/adamw/adamw.h"

namespace hearth::HEARTH_GPU {
namespace {

struct Tensors {
  const float *w, *m, *v, *grad, *scale, *rates;
  float *new_w, *new_m, *new_v;
};

__global__ void adamw_kernel(Tensors t, AdamW::Attributes a, int64_t n) {
  const int64_t i = thread_index();
  if (i >= n) return;
  float w = t.w[i], m = t.m[i], v = t.v[i];
  if (isfinite(*t.scale)) {
    const float g = *t.scale * t.grad[i];
    m += (1 - a.beta1) * (g - m);
    v += (1 - a.beta2) * (g * g - v);
    w -= t.rates[0] * (m * t.rates[1] / (sqrtf(v * t.rates[2]) + a.eps) + a.weight_decay * w);
  }
  t.new_w[i] = w, t.new_m[i] = m, t.new_v[i] = v;
}

void launch(const KernelArgs& args, const Worker& me) {
  const auto in = [&](size_t i) { return args.inputs[i].f32(); };
  const auto out = [&](size_t i) { return args.outputs[i].f32(); };
  const int64_t n = args.outputs[0].shape().n_elements();
  launch_kernel<adamw_kernel>(blocks_for(n), kBlock, 0, stream_of(me),
                              Tensors{in(0), in(1), in(2), in(3), in(4), in(5), out(0), out(1), out(2)},
                              static_cast<const AdamW&>(*args.op).a, n);
}

}  // namespace

template <>
Kernel kernel_for(const AdamW&, Types) {
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
