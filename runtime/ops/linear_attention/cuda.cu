// linear_attention and its backward, CUDA
// math:     as cpu.cpp, token by token
// shapes:   q, k [T,Hk,dk], v, out [T,Hv,dv] f32 or bf16, log_decay, beta [T,Hv], skip [Hv] f32, segment_begin [T] i32
// traffic:  k and q once a token and 32 columns; S stays in shared memory. Backward keeps S before every token of a
//           chunk of 64 and at every 64th token in device memory
// mapping:  forward: one warp per 32 columns of a value head, over all tokens in order. Backward: one block per key
//           head (its value heads add to the same dq and dk), a thread a column; sums over columns in a fixed order
// needs:    dk <= 256, backward also dv <= 256
// numerics: fp32; deterministic
#include <type_traits>

#include "runtime/ops/linear_attention/linear_attention.h"
#include "runtime/ops/linear_attention/linear_step.cuh"

namespace hearth::HEARTH_GPU {
namespace {

__device__ inline bool begins(const int32_t* segment_begin, int64_t t) {
  return t == 0 || segment_begin[t] != segment_begin[t - 1];
}

template <class A>
__global__ void linear_kernel(LinearProblem<A> p, const int32_t* segment_begin, A* out) {
  HEARTH_DYNAMIC_SHARED(shared, float);
  const int d = static_cast<int>(blockIdx.x) * kLinearColumns + threadIdx.x, h = static_cast<int>(blockIdx.y);
  if (d >= p.dv) return;
  float* S = shared + threadIdx.x;
  for (int64_t t = 0; t < p.T; ++t) {
    if (begins(segment_begin, t))
      for (int i = 0; i < p.dk; ++i) S[i * kLinearColumns] = 0;
    out[p.value(t, h) + d] = linear_step(p, t, h, d, S, kLinearColumns);
  }
}

void launch_forward(const KernelArgs& args, const Worker& me) {
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    const auto p = linear_problem<A>(args, static_cast<const LinearAttention&>(*args.op).heads, 6);
    if (p.T == 0) return;
    launch_kernel<linear_kernel<A>>(dim3(blocks_for(p.dv, kLinearColumns), static_cast<unsigned>(p.Hv)), kLinearColumns,
                                    static_cast<size_t>(linear_shared_floats(p.dk)) * 4, stream_of(me), p,
                                    args.inputs[5].i32(), args.outputs[0].as<A>());
  });
}

// ---- backward ----

constexpr int kKept = 64;         // tokens whose states are kept at a time
constexpr int kMaxColumns = 256;  // threads of a block

template <class A>
struct Gradients {
  const int32_t* segment_begin;
  const A* dout;
  float *dq, *dk;  // sums over the value heads of a key head
  A* dv;
  float *dlog_decay, *dbeta, *dskip;
  float* scratch;  // per key head: dS, S, S at every 64th token, S before each of 64 tokens; all [dk][dv]
  int64_t states_per_head;
};

// One thread's column of the matrices of its block.
struct Columns {
  float *dS, *S, *at_chunk, *before;
  int64_t size;
};

template <class A>
__device__ void advance(const LinearProblem<A>& p, int64_t t, int h, int d, float* S) {
  const float decay = expf(p.log_decay[p.gate(t, h)]), u = linear_learn(p, t, h, d, decay, S, p.dv);
  const A* k = p.k + p.key(t, h);
  for (int i = 0; i < p.dk; ++i) S[i * p.dv] = decay * S[i * p.dv] + k[i] * u;
}

template <class A>
__device__ void backward_step(const LinearProblem<A>& p, const Gradients<A>& g, int64_t t, int h, int d, bool is_column,
                              float* dS, const float* S) {
  const float a = expf(p.log_decay[p.gate(t, h)]), beta = p.beta[p.gate(t, h)];
  const A *q = p.q + p.key(t, h), *k = p.k + p.key(t, h);
  const float dout = is_column ? g.dout[p.value(t, h) + d] : 0.0f, v = is_column ? p.v[p.value(t, h) + d] : 0.0f;
  const float u = is_column ? linear_learn(p, t, h, d, a, S, p.dv) : 0.0f;
  float du = 0, known = 0, da = 0;
  if (is_column)
    for (int i = 0; i < p.dk; ++i) {
      dS[i * p.dv] += q[i] * dout;
      du += k[i] * dS[i * p.dv];
      if (p.delta_rule) known += a * k[i] * S[i * p.dv];
    }
  const float dw = p.delta_rule ? -beta * du : 0.0f;
  if (is_column) g.dv[p.value(t, h) + d] = beta * du + (p.skip != nullptr ? p.skip[h] * dout : 0.0f);
  for (int i = 0; i < p.dk; ++i) {
    const float s = is_column ? S[i * p.dv] : 0.0f, ds = is_column ? dS[i * p.dv] : 0.0f;
    const float dq = block_sum((a * s + k[i] * u) * dout), dk = block_sum(ds * u + a * s * dw);
    da += ds * s + k[i] * s * dw;
    if (is_column) dS[i * p.dv] = a * (ds + k[i] * dw);
    if (threadIdx.x == 0) {
      g.dq[p.key(t, h) + i] += dq;
      g.dk[p.key(t, h) + i] += dk;
    }
  }
  da = block_sum(da);
  const float dbeta = block_sum(du * (v - known));
  const float dskip = p.skip != nullptr ? block_sum(dout * v) : 0.0f;
  if (threadIdx.x != 0) return;
  g.dlog_decay[p.gate(t, h)] = a * da;
  g.dbeta[p.gate(t, h)] = dbeta;
  if (p.skip != nullptr) g.dskip[h] += dskip;
}

// Tokens [begin, end) of one document.
template <class A>
__device__ void backward_document(const LinearProblem<A>& p, const Gradients<A>& g, int64_t begin, int64_t end, int h,
                                  int d, bool is_column, const Columns& m) {
  const int64_t n_chunks = (end - begin + kKept - 1) / kKept;
  if (is_column) {
    for (int i = 0; i < p.dk; ++i) m.S[i * p.dv] = m.dS[i * p.dv] = 0;
    for (int64_t c = 0; c < n_chunks; ++c) {
      for (int i = 0; i < p.dk; ++i) m.at_chunk[c * m.size + i * p.dv] = m.S[i * p.dv];
      if (c + 1 < n_chunks)
        for (int64_t t = begin + c * kKept; t < begin + (c + 1) * kKept; ++t) advance(p, t, h, d, m.S);
    }
  }
  for (int64_t c = n_chunks - 1; c >= 0; --c) {
    const int64_t first = begin + c * kKept, last = first + kKept < end ? first + kKept : end;
    if (is_column) {
      for (int i = 0; i < p.dk; ++i) m.S[i * p.dv] = m.at_chunk[c * m.size + i * p.dv];
      for (int64_t t = first; t < last; ++t) {
        for (int i = 0; i < p.dk; ++i) m.before[(t - first) * m.size + i * p.dv] = m.S[i * p.dv];
        advance(p, t, h, d, m.S);
      }
    }
    for (int64_t t = last - 1; t >= first; --t)
      backward_step(p, g, t, h, d, is_column, m.dS, m.before + (t - first) * m.size);
  }
}

template <class A>
__global__ void backward_kernel(LinearProblem<A> p, Gradients<A> g) {
  const int kh = static_cast<int>(blockIdx.x), d = static_cast<int>(threadIdx.x), group = p.Hv / p.Hk;
  const bool is_column = d < p.dv;
  const int64_t size = static_cast<int64_t>(p.dk) * p.dv;
  float* base = g.scratch + kh * g.states_per_head * size + (is_column ? d : 0);
  const Columns m{base, base + size, base + 2 * size, base + (g.states_per_head - kKept) * size, size};
  for (int64_t i = threadIdx.x; i < p.T * p.dk; i += blockDim.x) {
    const int64_t at = (i / p.dk * p.Hk + kh) * p.dk + i % p.dk;
    g.dq[at] = g.dk[at] = 0;
  }
  if (p.skip != nullptr)
    for (int i = d; i < group; i += static_cast<int>(blockDim.x)) g.dskip[p.value_head(kh, i)] = 0;
  __syncthreads();
  for (int i = 0; i < group; ++i)
    for (int64_t begin = 0; begin < p.T;) {
      int64_t end = begin + 1;
      while (end < p.T && g.segment_begin[end] == g.segment_begin[begin]) ++end;
      backward_document(p, g, begin, end, p.value_head(kh, i), d, is_column, m);
      begin = end;
    }
}

int64_t states_per_head(int64_t T) {
  return 2 + T / kKept + 1 + kKept;
}

__global__ void round_kernel(const float* x, Bf16* y, int64_t n) {
  const int64_t i = thread_index();
  if (i < n) y[i] = x[i];
}

// The kernel sums dq and dk in f32: the outputs themselves, or what is rounded into them.
template <class A>
void launch_backward_of(const KernelArgs& args, const Worker& me) {
  const auto p = linear_problem<A>(args, static_cast<const LinearAttentionBackward&>(*args.op).heads, 7);
  if (p.T == 0) return;
  constexpr bool kRounds = !std::is_same_v<A, float>;
  auto* scratch = reinterpret_cast<float*>(args.scratch);
  const int64_t n_states = states_per_head(p.T) * p.Hk * p.dk * p.dv, n_keys = p.T * p.Hk * p.dk;
  float *dq = scratch + n_states, *dk = dq + n_keys;
  if constexpr (!kRounds) dq = args.outputs[0].f32(), dk = args.outputs[1].f32();
  const Gradients<A> g{args.inputs[5].i32(),
                       args.inputs[6].as<A>(),
                       dq,
                       dk,
                       args.outputs[2].as<A>(),
                       args.outputs[3].f32(),
                       args.outputs[4].f32(),
                       p.skip != nullptr ? args.outputs[5].f32() : nullptr,
                       scratch,
                       states_per_head(p.T)};
  const int n_threads = (p.dv + kWarp - 1) / kWarp * kWarp;
  launch_kernel<backward_kernel<A>>(static_cast<unsigned>(p.Hk), n_threads, 0, stream_of(me), p, g);
  if constexpr (kRounds)
    for (size_t i : {0u, 1u})
      launch_kernel<round_kernel>(blocks_for(n_keys), kBlock, 0, stream_of(me), i == 0 ? dq : dk,
                                  args.outputs[i].as<Bf16>(), n_keys);
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  with_activations(args.inputs[0].type.dtype, [&]<class A>() { launch_backward_of<A>(args, me); });
}

}  // namespace

template <>
Kernel kernel_for(const LinearAttention& op, Types) {
  if (op.heads.k_dim > 256) return {};
  return {launch_forward};
}
template <>
Kernel kernel_for(const LinearAttentionBackward& op, Types inputs) {
  if (op.heads.v_dim > kMaxColumns) return {};
  const int64_t n_keys = inputs[0].shape.n_elements();
  const int64_t n_states = states_per_head(inputs[0].shape[0]) * op.heads.n_k_heads * op.heads.k_dim * op.heads.v_dim;
  const int64_t n_floats = n_states + (inputs[0].dtype == Dtype::bf16 ? 2 * n_keys : 0);
  return {launch_backward, static_cast<size_t>(n_floats) * sizeof(float)};
}

}  // namespace hearth::HEARTH_GPU
