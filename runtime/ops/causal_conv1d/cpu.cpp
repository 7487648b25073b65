// causal_conv1d and its backward, CPU
// math:     y[t] = Σ_j w[:,j] x[t-(W-1-j)];  dx[s] = Σ_j w[:,j] dy[s+(W-1-j)];  dw[:,j] = Σ_t dy[t] x[t-(W-1-j)], all
//           within documents
// shapes:   x, y, dx, dy [T,C], dw [C,W] f32, w [C,W] f32, f16 or bf16, segment_begin [T] i32
// traffic:  8 B an element and 2·W flops: memory bound (the W rows before a token are in L1)
// mapping:  channels split in multiples of 16; w is transposed once per thread
// needs:    nothing
// numerics: fp32; taps and tokens in order
#include "runtime/ops/causal_conv1d/causal_conv1d.h"

#include "runtime/kernels/conv_taps.h"
#include "runtime/kernels/isa.h"
#include "runtime/kernels/thread_scratch.h"

namespace hearth::HEARTH_ISA {
namespace {

void run_forward(const KernelArgs& args, const Worker& me) {
  const TensorView &x = args.inputs[0], &w = args.inputs[1], &y = args.outputs[0];
  const int32_t* segment_begin = args.inputs[2].i32();
  const int64_t T = x.dim(0), C = x.dim(1), W = w.dim(1);
  const auto [begin, end] = me.share(C, 16);
  if (begin == end) return;
  float* taps = thread_scratch(static_cast<size_t>(W * (end - begin)));
  transpose_taps(w, begin, end, taps);
  for (int64_t t = 0; t < T; ++t) {
    const float* rows[kMaxConvWidth];
    int64_t first = W - 1 - (t - segment_begin[t]);  // the first tap within the document
    first = first < 0 ? 0 : first;
    for (int64_t j = first; j < W; ++j) rows[j] = x.f32() + (t - (W - 1 - j)) * C + begin;
    filter(taps, end - begin, rows, first, W, y.f32() + t * C + begin);
  }
}

void run_backward(const KernelArgs& args, const Worker& me) {
  const TensorView &x = args.inputs[0], &w = args.inputs[1], &dy = args.inputs[3], &dx = args.outputs[0];
  const int32_t* segment_begin = args.inputs[2].i32();
  const int64_t T = x.dim(0), C = x.dim(1), W = w.dim(1);
  const auto [begin, end] = me.share(C, 16);
  if (begin == end) return;
  const int64_t n = end - begin;
  float* taps = thread_scratch(static_cast<size_t>(2 * W * n));
  float* dtaps = taps + W * n;
  transpose_taps(w, begin, end, taps);
  memset(dtaps, 0, static_cast<size_t>(W * n) * 4);
  for (int64_t t = 0; t < T; ++t) memset(dx.f32() + t * C + begin, 0, static_cast<size_t>(n) * 4);
  for (int64_t t = 0; t < T; ++t) {
    const float* d = dy.f32() + t * C + begin;
    for (int64_t j = 0; j < W; ++j) {
      const int64_t s = t - (W - 1 - j);
      if (s < segment_begin[t]) continue;
      float *to = dx.f32() + s * C + begin, *dtap = dtaps + j * n;
      const float *from = x.f32() + s * C + begin, *tap = taps + j * n;
      over(0, n, [&](int64_t c, auto lanes) {
        store(to + c, load(to + c, lanes) + load(tap + c, lanes) * load(d + c, lanes), lanes);
        store(dtap + c, load(dtap + c, lanes) + load(from + c, lanes) * load(d + c, lanes), lanes);
      });
    }
  }
  for (int64_t c = 0; c < n; ++c)
    for (int64_t j = 0; j < W; ++j) args.outputs[1].f32()[(begin + c) * W + j] = dtaps[j * n + c];
}

}  // namespace

template <>
Kernel kernel_for(const CausalConv1d&, Types) {
  return {run_forward};
}
template <>
Kernel kernel_for(const CausalConv1dBackward&, Types) {
  return {run_backward};
}

}  // namespace hearth::HEARTH_ISA
