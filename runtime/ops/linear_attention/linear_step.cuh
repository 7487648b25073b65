// One token of linear attention on one column of S: what the linear attention kernels share. The columns of S do not
// know of each other, so a thread owns one: S [dk] in shared memory, a column apart from its neighbours by one float.
#pragma once

#include "runtime/kernels/cuda_common.cuh"
#include "runtime/ops/linear_attention/attributes.h"

namespace hearth::HEARTH_GPU {

template <class A>
struct LinearProblem {
  int64_t T;
  int Hk, Hv, dk, dv;
  bool delta_rule, is_tiled;
  const A *q, *k, *v;
  const float *log_decay, *beta, *skip;

  __device__ int64_t key(int64_t t, int h) const { return (t * Hk + (is_tiled ? h % Hk : h / (Hv / Hk))) * dk; }
  __device__ int value_head(int kh, int i) const { return is_tiled ? kh + i * Hk : kh * (Hv / Hk) + i; }
  __device__ int64_t value(int64_t t, int h) const { return (t * Hv + h) * dv; }
  __device__ int64_t gate(int64_t t, int h) const { return t * Hv + h; }
};

template <class A>
LinearProblem<A> linear_problem(const KernelArgs& args, const LinearAttentionAttributes& a, size_t n_inputs) {
  return {args.inputs[0].dim(0),
          a.n_k_heads,
          a.n_v_heads,
          a.k_dim,
          a.v_dim,
          a.delta_rule,
          a.is_tiled,
          args.inputs[0].as<A>(),
          args.inputs[1].as<A>(),
          args.inputs[2].as<A>(),
          args.inputs[3].f32(),
          args.inputs[4].f32(),
          a.has_skip ? args.inputs[n_inputs].f32() : nullptr};
}

inline constexpr int kLinearColumns = 32;  // of a block: one warp, so that k and q are broadcast

inline int linear_shared_floats(int dk) {
  return dk * kLinearColumns;
}

// What token t teaches column d, S being that before it; stride between the rows of S.
template <class A>
__device__ float linear_learn(const LinearProblem<A>& p, int64_t t, int h, int d, float decay, const float* S,
                              int stride) {
  float known = 0;
  if (p.delta_rule) {
    const A* k = p.k + p.key(t, h);
    for (int i = 0; i < p.dk; ++i) known += decay * S[i * stride] * k[i];
  }
  return p.beta[p.gate(t, h)] * (p.v[p.value(t, h) + d] - known);
}

// Token t is learnt; returns the answer to q.
template <class A>
__device__ float linear_step(const LinearProblem<A>& p, int64_t t, int h, int d, float* S, int stride) {
  const float decay = expf(p.log_decay[p.gate(t, h)]);
  const float u = linear_learn(p, t, h, d, decay, S, stride);
  const A *q = p.q + p.key(t, h), *k = p.k + p.key(t, h);
  float out = p.skip != nullptr ? p.skip[h] * p.v[p.value(t, h) + d] : 0.0f;
  for (int i = 0; i < p.dk; ++i) {
    const float s = decay * S[i * stride] + k[i] * u;
    S[i * stride] = s;
    out += s * q[i];
  }
  return out;
}

}  // namespace hearth::HEARTH_GPU
