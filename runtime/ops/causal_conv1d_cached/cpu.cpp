// causal_conv1d_cached, CPU
// math:     y[t] = Σ_j w[:,j] x[t-(W-1-j)], where tokens before this step are in the state
// shapes:   x, y [T,C] f32, w [C,W] f32, f16 or bf16, state [n_seqs,W-1,C] f32, positions, seq_of_token [T] i32
// traffic:  decode: w and a state of W-1 rows read and written: memory bound
// mapping:  channels split in multiples of 16; runs of a sequence's tokens read their own rows, the state once
// needs:    nothing
// numerics: fp32; taps in order; a token's bits do not depend on the other sequences, nor on how a prompt is cut
#include "runtime/ops/causal_conv1d_cached/causal_conv1d_cached.h"

#include "runtime/kernels/conv_taps.h"
#include "runtime/kernels/isa.h"
#include "runtime/kernels/thread_scratch.h"
#include "runtime/ops/causal_conv1d/causal_conv1d.h"

namespace hearth::HEARTH_ISA {
namespace {

struct Conv {
  const float *x, *taps;
  float* y;
  int64_t C, W, begin, n;  // channels begin..begin + n

  // Tokens [t0, t1) of one sequence, whose state is that before t0.
  void run(int64_t t0, int64_t t1, float* state) const {
    for (int64_t t = t0; t < t1; ++t) {
      const float* rows[kMaxConvWidth];
      for (int64_t j = 0; j < W; ++j) {
        const int64_t s = t - (W - 1 - j);
        rows[j] = s >= t0 ? x + s * C + begin : state + (s - t0 + W - 1) * C + begin;
      }
      filter(taps, n, rows, 0, W, y + t * C + begin);
    }
    for (int64_t i = 0; i < W - 1; ++i) {  // row i becomes what is W-1-i tokens before t1
      const int64_t s = t1 - (W - 1 - i);
      const float* from = s >= t0 ? x + s * C + begin : state + (s - t0 + W - 1) * C + begin;
      memmove(state + i * C + begin, from, static_cast<size_t>(n) * 4);
    }
  }

  void clear(float* rows, int64_t n_rows) const {
    for (int64_t i = 0; i < n_rows; ++i) memset(rows + i * C + begin, 0, static_cast<size_t>(n) * 4);
  }
};

void run(const KernelArgs& args, const Worker& me) {
  const TensorView &x = args.inputs[0], &w = args.inputs[1];
  const int32_t *positions = args.inputs[3].i32(), *seqs = args.inputs[4].i32();
  const int64_t T = x.dim(0), C = x.dim(1), W = w.dim(1);
  const auto [begin, end] = me.share(C, 16);
  if (begin == end) return;
  float* taps = thread_scratch(static_cast<size_t>(W * (end - begin)));
  transpose_taps(w, begin, end, taps);
  const Conv conv{x.f32(), taps, args.outputs[0].f32(), C, W, begin, end - begin};
  for (int64_t t = 0; t < T;) {
    if (positions[t] < 0) {
      conv.clear(conv.y + t * C, 1);
      ++t;
      continue;
    }
    int64_t stop = t + 1;
    while (stop < T && seqs[stop] == seqs[t] && positions[stop] > 0) ++stop;
    float* state = args.inputs[2].f32() + seqs[t] * (W - 1) * C;
    if (positions[t] == 0) conv.clear(state, W - 1);
    conv.run(t, stop, state);
    t = stop;
  }
}

}  // namespace

template <>
Kernel kernel_for(const CausalConv1dCached&, Types) {
  return {run};
}

}  // namespace hearth::HEARTH_ISA
