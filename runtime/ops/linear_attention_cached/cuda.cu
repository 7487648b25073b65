// linear_attention_cached, CUDA
// math:     attributes.h, token by token
// shapes:   q, k [T,Hk,dk], v, out [T,Hv,dv] f32 or bf16, log_decay, beta [T,Hv], state [n_seqs,Hv,dk,dv] and skip [Hv]
//           f32, positions, seq_of_token [T] i32
// traffic:  decode: each state read and written once: memory bound. Prefill reads k and q once a token and 32 columns
// mapping:  one warp per 32 columns of a value head of a sequence; it walks over the tokens of the step
// needs:    32·dk floats of shared memory: dk <= 256
// numerics: fp32; products in order
#include "runtime/ops/linear_attention/linear_step.cuh"
#include "runtime/ops/linear_attention_cached/linear_attention_cached.h"

namespace hearth::HEARTH_GPU {
namespace {

template <class A>
__global__ void linear_cached_kernel(LinearProblem<A> p, float* states, const int32_t* positions, const int32_t* seqs,
                                     A* out) {
  HEARTH_DYNAMIC_SHARED(shared, float);
  const int d = static_cast<int>(blockIdx.x) * kLinearColumns + threadIdx.x, h = static_cast<int>(blockIdx.y);
  const int seq = static_cast<int>(blockIdx.z);
  if (d >= p.dv) return;
  float* state = states + (static_cast<int64_t>(seq) * p.Hv + h) * p.dk * p.dv + d;
  float* S = shared + threadIdx.x;
  bool is_loaded = false;
  for (int64_t t = 0; t < p.T; ++t) {
    if (positions[t] < 0 && seq == 0) out[p.value(t, h) + d] = 0;  // padding: of no sequence
    if (positions[t] < 0 || seqs[t] != seq) continue;
    if (!is_loaded || positions[t] == 0)
      for (int i = 0; i < p.dk; ++i)
        S[i * kLinearColumns] = positions[t] == 0 ? 0.0f : state[static_cast<int64_t>(i) * p.dv];
    is_loaded = true;
    out[p.value(t, h) + d] = linear_step(p, t, h, d, S, kLinearColumns);
  }
  if (is_loaded)
    for (int i = 0; i < p.dk; ++i) state[static_cast<int64_t>(i) * p.dv] = S[i * kLinearColumns];
}

void launch(const KernelArgs& args, const Worker& me) {
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    const auto p = linear_problem<A>(args, static_cast<const LinearAttentionCached&>(*args.op).heads, 8);
    const dim3 grid(blocks_for(p.dv, kLinearColumns), static_cast<unsigned>(p.Hv),
                    static_cast<unsigned>(args.inputs[5].dim(0)));
    launch_kernel<linear_cached_kernel<A>>(grid, kLinearColumns, static_cast<size_t>(linear_shared_floats(p.dk)) * 4,
                                           stream_of(me), p, args.inputs[5].f32(), args.inputs[6].i32(),
                                           args.inputs[7].i32(), args.outputs[0].as<A>());
  });
}

}  // namespace

template <>
Kernel kernel_for(const LinearAttentionCached& op, Types) {
  if (op.heads.k_dim > 256) return {};
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
