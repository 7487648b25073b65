// linear_attention_cached, CPU
// math:     attributes.h, in the form of ../linear_attention/chunk.h; fewer than four tokens of a sequence go one by
//           one, and in fixed order all
// shapes:   q, k [T,Hk,dk], v, out [T,Hv,dv], log_decay, beta [T,Hv], state [n_seqs,Hv,dk,dv], skip [Hv] f32,
//           positions, seq_of_token [T] i32
// traffic:  decode: the state of a head read twice and written once, 6·dk·dv flops: memory bound
// mapping:  (run of a sequence's tokens, value head) pairs dealt out. Runs of one sequence come in order, and the same
//           thread has a head in all of them
// needs:    nothing
// numerics: fp32; a sequence's bits depend on how its prompt is cut, but not in fixed order; never on its neighbours
#include "runtime/ops/linear_attention_cached/linear_attention_cached.h"

#include "runtime/kernels/isa.h"
#include "runtime/kernels/thread_scratch.h"
#include "runtime/ops/linear_attention/chunk.h"

namespace hearth::HEARTH_ISA {
namespace {

template <bool kFixedOrder>
void run(const KernelArgs& args, const Worker& me) {
  const LinearOperands p(args, static_cast<const LinearAttentionCached&>(*args.op).heads, 8);
  const int32_t *positions = args.inputs[6].i32(), *seqs = args.inputs[7].i32();
  const int64_t T = args.inputs[0].dim(0), state_size = p.dk * p.dv;
  float* out = args.outputs[0].f32();
  LinearChunks chunks(p, thread_scratch(LinearChunks::scratch_floats(p)), out);
  for (int64_t t = 0; t < T;) {
    if (positions[t] < 0) {
      if (me.rank == 0) memset(out + p.value(t, 0), 0, static_cast<size_t>(p.Hv * p.dv) * 4);
      ++t;
      continue;
    }
    int64_t end = t + 1;
    while (end < T && seqs[end] == seqs[t] && positions[end] > 0) ++end;
    for (int64_t h = 0; h < p.Hv; ++h) {
      if ((seqs[t] * p.Hv + h) % me.size != me.rank) continue;
      float* S = args.inputs[5].f32() + (seqs[t] * p.Hv + h) * state_size;
      if (positions[t] == 0) memset(S, 0, static_cast<size_t>(state_size) * 4);
      if (kFixedOrder)
        for (int64_t i = t; i < end; ++i) chunks.run(i, i + 1, h, S);
      else
        chunks.run(t, end, h, S);
    }
    t = end;
  }
}

}  // namespace

template <>
Kernel kernel_for(const LinearAttentionCached&, Types) {
  return {run<false>};
}
template <>
Kernel fixed_order_kernel_for(const LinearAttentionCached&, Types) {
  return {run<true>};
}

}  // namespace hearth::HEARTH_ISA
