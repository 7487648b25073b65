// attention and its backward, CUDA
// math:     as cpu.cpp
// shapes:   q [T,H,D], out [T,H,Dv], k [T,K,D], v [T,K,Dv] f32 or bf16, and their gradients likewise, segment_begin [T]
//           i32, lse [T,H] f32; scratch [T,H] f32: delta
// traffic:  forward 2·(D+Dv), backward 8·D+6·Dv flops per (query, head, visible key): scores are computed for dq and
//           for dk, dv; tiles that nobody sees are skipped
// mapping:  forward, dq: one block per 16 queries of a head (forward in bf16: 64, 32 or 16, by width); dk, dv: one
//           block per 16 keys of a kv head; dsinks: one block a head
// needs:    D, Dv <= 576 (shared memory)
// numerics: forward in bf16: tensor cores, f32 sums, weights rounded to bf16; else fp32; in order: deterministic
#include "runtime/kernels/flash_tile.cuh"
#include "runtime/ops/attention/attention.h"

namespace hearth::HEARTH_GPU {
namespace {

template <class A>
struct Problem {
  int64_t T;
  int H, K, D, Dv;
  int64_t window;  // T when there is none
  bool causal;
  ScoreRule rule;
  const A *q, *k, *v;
  const int32_t* segment_begin;
  const void* sinks;  // null: none
  Dtype sinks_dtype;

  __device__ int kv_of(int h) const { return h / (H / K); }
  __device__ int64_t query(int64_t t, int h) const { return (t * H + h) * D; }
  __device__ int64_t out(int64_t t, int h) const { return (t * H + h) * Dv; }
  __device__ int64_t key(int64_t s, int kv) const { return (s * K + kv) * D; }
  __device__ int64_t value(int64_t s, int kv) const { return (s * K + kv) * Dv; }
  __device__ bool visible(int64_t t, int64_t s) const {
    if (t - s >= window || s - t >= window) return false;
    return causal ? s <= t && s >= segment_begin[t] : segment_begin[s] == segment_begin[t];
  }
  __device__ float sink(int h) const { return sinks == nullptr ? -INFINITY : float_at(sinks_dtype, sinks, h); }
  // The keys that any of the queries [begin, begin + n) sees are within [first_key, end_key).
  __device__ int64_t first_key(int64_t begin, int n) const {
    int64_t first = begin;
    for (int64_t t = begin; t < begin + n; ++t) {
      const int64_t seen = t - window + 1 > segment_begin[t] ? t - window + 1 : segment_begin[t];
      first = first < seen ? first : seen;
    }
    return first;
  }
  __device__ int64_t end_key(int64_t begin, int n) const {
    int64_t end = begin + n;
    if (causal) return end;
    const int64_t last = end - 1, farthest = last + window < T ? last + window : T;
    while (end < farthest && segment_begin[end] == segment_begin[last]) ++end;
    return end;
  }
  // The queries that may see any of the keys from `begin` on start here.
  __device__ int64_t first_query(int64_t begin) const {
    if (causal) return begin;
    return begin - window + 1 > 0 ? begin - window + 1 : 0;
  }
};

template <class A>
Problem<A> problem_of(const KernelArgs& args, const AttentionAttributes& a, size_t n_inputs) {
  const int64_t T = args.inputs[0].dim(0);
  return {T,
          a.n_heads,
          a.n_kv_heads,
          a.head_dim,
          a.v_dim(),
          a.window > 0 ? a.window : T,
          a.causal,
          {a.softmax_scale, a.softcap},
          static_cast<const A*>(args.inputs[0].data),
          static_cast<const A*>(args.inputs[1].data),
          static_cast<const A*>(args.inputs[2].data),
          args.inputs[3].i32(),
          a.has_sinks ? args.inputs[n_inputs].data : nullptr,
          a.has_sinks ? args.inputs[n_inputs].type.dtype : Dtype::f32};
}

__device__ int rows_left(int64_t T, int64_t begin, int most) {
  return static_cast<int>(T - begin < most ? T - begin : most);
}

template <int max_dim>
__global__ void __launch_bounds__(kTileThreads) attention_kernel(Problem<float> p, float* out, float* lse) {
  HEARTH_DYNAMIC_SHARED(shared, float);
  const int64_t begin = static_cast<int64_t>(blockIdx.x) * kTileRows;
  const int h = static_cast<int>(blockIdx.y), kv = p.kv_of(h), n = rows_left(p.T, begin, kTileRows);
  attend<max_dim>(
      shared, n, p.D, p.Dv, p.rule, p.first_key(begin, n), p.end_key(begin, n),
      [&](int r, int d) { return p.q[p.query(begin + r, h) + d]; },
      [&](int64_t s, int d) { return p.k[p.key(s, kv) + d]; },
      [&](int64_t s, int d) { return p.v[p.value(s, kv) + d]; },
      [&](int r, int64_t s) { return p.visible(begin + r, s); }, [&](int) { return p.sink(h); },
      [&](int r, int d, float value) { out[p.out(begin + r, h) + d] = value; },
      [&](int r, float value) { lse[(begin + r) * p.H + h] = value; });
}

template <int max_dim>
__global__ void __launch_bounds__(kFlashThreads) flash_kernel(Problem<Bf16> p, Bf16* out, float* lse, bool is_wide) {
  HEARTH_DYNAMIC_SHARED(tiles, SharedBytes16);
  constexpr int kRows = FlashTile<max_dim>::kRows;
  const int64_t begin = static_cast<int64_t>(blockIdx.x) * kRows;
  const int h = static_cast<int>(blockIdx.y), kv = p.kv_of(h), n = rows_left(p.T, begin, kRows);
  flash_attend<max_dim>(
      tiles, {n, p.D, p.Dv, p.rule, p.first_key(begin, n), p.end_key(begin, n), is_wide},
      [&](int r) { return p.q + p.query(begin + r, h); }, [&](int64_t s) { return p.k + p.key(s, kv); },
      [&](int64_t s) { return p.v + p.value(s, kv); }, [&](int r, int64_t s) { return p.visible(begin + r, s); },
      [&](int) { return p.sink(h); }, [&](int r, int d, float value) { out[p.out(begin + r, h) + d] = value; },
      [&](int r, float value) { lse[(begin + r) * p.H + h] = value; });
}

// ---- backward ----

template <class A>
struct Gradients {
  const A *out, *dout;
  const float* lse;
  A *dq, *dk, *dv;
  float *dsinks, *delta;
};

template <class A>
__global__ void delta_kernel(Problem<A> p, Gradients<A> g) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * (blockDim.x / kWarp) + threadIdx.x / kWarp;
  if (row >= p.T * p.H) return;
  float sum = 0;
  for (int d = threadIdx.x % kWarp; d < p.Dv; d += kWarp) sum += g.out[row * p.Dv + d] * g.dout[row * p.Dv + d];
  sum = warp_sum(sum);
  if (threadIdx.x % kWarp == 0) g.delta[row] = sum;
}

template <class A>
__global__ void dsinks_kernel(Problem<A> p, Gradients<A> g) {
  const int h = static_cast<int>(blockIdx.x);
  float sum = 0;
  for (int64_t t = threadIdx.x; t < p.T; t += blockDim.x)
    sum -= expf(p.sink(h) - g.lse[t * p.H + h]) * g.delta[t * p.H + h];
  sum = block_sum(sum);
  if (threadIdx.x == 0) g.dsinks[h] = sum;
}

// Four tensors of tiles are in shared memory here: fewer partners at a time where heads are wide.
template <int max_dim>
struct BackwardTile : TileOf<max_dim> {
  static constexpr int kPartners = max_dim <= 256 ? TileOf<max_dim>::kPartners : 4;
};

template <int max_dim>
int backward_shared_floats(int D, int Dv) {
  constexpr int kPartners = BackwardTile<max_dim>::kPartners;
  return (kTileRows + kPartners) * (D + 1 + Dv + 1) + 2 * kTileRows * (kPartners + 1);
}

// Rows are queries, partners are keys.
template <class A, int max_dim>
__global__ void __launch_bounds__(kTileThreads) dq_kernel(Problem<A> p, Gradients<A> g) {
  using Tile = BackwardTile<max_dim>;
  constexpr int kPartners = Tile::kPartners;
  HEARTH_DYNAMIC_SHARED(shared, float);
  const TileThread me;
  const int ld = p.D + 1, ldv = p.Dv + 1, h = static_cast<int>(blockIdx.y), kv = p.kv_of(h);
  const int64_t begin = static_cast<int64_t>(blockIdx.x) * kTileRows;
  const int n = rows_left(p.T, begin, kTileRows);
  float *queries = shared, *douts = queries + kTileRows * ld, *keys = douts + kTileRows * ldv;
  float *values = keys + kPartners * ld, *dscores = values + kPartners * ldv + me.row * (kPartners + 1);
  load_tile(queries, kTileRows, ld, 0, n, p.D, [&](int r, int d) { return p.q[p.query(begin + r, h) + d]; });
  load_tile(douts, kTileRows, ldv, 0, n, p.Dv, [&](int r, int d) { return g.dout[p.out(begin + r, h) + d]; });
  const int64_t t = begin + me.row;
  const float lse = me.row < n ? g.lse[t * p.H + h] : 0.0f, delta = me.row < n ? g.delta[t * p.H + h] : 0.0f;
  float acc[Tile::kFeatures] = {};
  const int64_t end = p.end_key(begin, n);
  for (int64_t first = p.first_key(begin, n); first < end; first += kPartners) {
    const int n_keys = rows_left(end, first, kPartners);
    __syncthreads();
    load_tile(keys, kPartners, ld, 0, n_keys, p.D, [&](int s, int d) { return p.k[p.key(first + s, kv) + d]; });
    load_tile(values, kPartners, ldv, 0, n_keys, p.Dv, [&](int s, int d) { return p.v[p.value(first + s, kv) + d]; });
    __syncthreads();
#pragma unroll
    for (int i = 0; i < Tile::kPartnersPerThread; ++i) {
      const int s = me.lane + i * kRowThreads;
      if (s >= kPartners) continue;
      float ds = 0;
      if (me.row < n && s < n_keys && p.visible(t, first + s)) {
        const float score = p.rule.score(tile_dot(queries + me.row * ld, keys + s * ld, p.D));
        ds = p.rule.slope(score) * expf(score - lse) * (tile_dot(douts + me.row * ldv, values + s * ldv, p.Dv) - delta);
      }
      dscores[s] = ds;
    }
    __syncwarp();
    add_weighted<kPartners>(acc, dscores, keys, ld, me.lane, p.D);
  }
  if (me.row >= n) return;
#pragma unroll
  for (int i = 0; i < Tile::kFeatures; ++i) {
    const int d = me.lane + i * kRowThreads;
    if (d < p.D) g.dq[p.query(t, h) + d] = acc[i];
  }
}

// Rows are keys, partners are queries, for all query heads of the kv head.
template <class A, int max_dim>
__global__ void __launch_bounds__(kTileThreads) dkv_kernel(Problem<A> p, Gradients<A> g) {
  using Tile = BackwardTile<max_dim>;
  constexpr int kPartners = Tile::kPartners;
  HEARTH_DYNAMIC_SHARED(shared, float);
  const TileThread me;
  const int ld = p.D + 1, ldv = p.Dv + 1, kv = static_cast<int>(blockIdx.y), group = p.H / p.K;
  const int64_t begin = static_cast<int64_t>(blockIdx.x) * kTileRows;
  const int n = rows_left(p.T, begin, kTileRows);
  float *keys = shared, *values = keys + kTileRows * ld, *queries = values + kTileRows * ldv;
  float *douts = queries + kPartners * ld, *rows = douts + kPartners * ldv;
  float *weights = rows + me.row * (kPartners + 1), *dscores = weights + kTileRows * (kPartners + 1);
  load_tile(keys, kTileRows, ld, 0, n, p.D, [&](int r, int d) { return p.k[p.key(begin + r, kv) + d]; });
  load_tile(values, kTileRows, ldv, 0, n, p.Dv, [&](int r, int d) { return p.v[p.value(begin + r, kv) + d]; });
  const int64_t s = begin + me.row;
  float dk[Tile::kFeatures] = {}, dv[Tile::kFeatures] = {};
  const int64_t end = begin + n + p.window - 1 < p.T ? begin + n + p.window - 1 : p.T;
  for (int64_t first = p.first_query(begin); first < end; first += kPartners) {
    const int n_queries = rows_left(end, first, kPartners);
    bool any = false;
    for (int i = me.lane; i < n_queries; i += kRowThreads) any |= me.row < n && p.visible(first + i, s);
    if (!__syncthreads_or(any)) continue;
    for (int h = kv * group; h < (kv + 1) * group; ++h) {
      __syncthreads();
      load_tile(queries, kPartners, ld, 0, n_queries, p.D,
                [&](int i, int d) { return p.q[p.query(first + i, h) + d]; });
      load_tile(douts, kPartners, ldv, 0, n_queries, p.Dv,
                [&](int i, int d) { return g.dout[p.out(first + i, h) + d]; });
      __syncthreads();
#pragma unroll
      for (int j = 0; j < Tile::kPartnersPerThread; ++j) {
        const int i = me.lane + j * kRowThreads;
        if (i >= kPartners) continue;
        const int64_t t = first + i;
        float weight = 0, ds = 0;
        if (me.row < n && i < n_queries && p.visible(t, s)) {
          const float score = p.rule.score(tile_dot(keys + me.row * ld, queries + i * ld, p.D));
          weight = expf(score - g.lse[t * p.H + h]);
          ds = p.rule.slope(score) * weight *
               (tile_dot(values + me.row * ldv, douts + i * ldv, p.Dv) - g.delta[t * p.H + h]);
        }
        weights[i] = weight;
        dscores[i] = ds;
      }
      __syncwarp();
      add_weighted<kPartners>(dk, dscores, queries, ld, me.lane, p.D);
      add_weighted<kPartners>(dv, weights, douts, ldv, me.lane, p.Dv);
    }
  }
  if (me.row >= n) return;
#pragma unroll
  for (int i = 0; i < Tile::kFeatures; ++i) {
    const int d = me.lane + i * kRowThreads;
    if (d < p.D) g.dk[p.key(s, kv) + d] = dk[i];
    if (d < p.Dv) g.dv[p.value(s, kv) + d] = dv[i];
  }
}

void launch_forward_of(const Problem<float>& p, const KernelArgs& args, Stream stream) {
  const dim3 grid(blocks_for(p.T, kTileRows), static_cast<unsigned>(p.H));
  with_tile_of(p.D, p.Dv, [&]<int max_dim>() {
    launch_kernel<attention_kernel<max_dim>>(grid, kTileThreads,
                                             static_cast<size_t>(attend_shared_floats<max_dim>(p.D, p.Dv)) * 4, stream,
                                             p, args.outputs[0].f32(), args.outputs[1].f32());
  });
}

void launch_forward_of(const Problem<Bf16>& p, const KernelArgs& args, Stream stream) {
  const bool is_wide = p.D % 8 == 0 && p.Dv % 8 == 0 && are_16_byte_aligned({p.q, p.k, p.v});
  with_tile_of(p.D, p.Dv, [&]<int max_dim>() {
    const dim3 grid(blocks_for(p.T, FlashTile<max_dim>::kRows), static_cast<unsigned>(p.H));
    launch_kernel<flash_kernel<max_dim>>(grid, kFlashThreads, flash_shared_bytes<max_dim>(p.D, p.Dv), stream, p,
                                         static_cast<Bf16*>(args.outputs[0].data), args.outputs[1].f32(), is_wide);
  });
}

void launch_forward(const KernelArgs& args, const Worker& me) {
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    const Problem<A> p = problem_of<A>(args, static_cast<const Attention&>(*args.op).heads, 4);
    if (p.T > 0) launch_forward_of(p, args, stream_of(me));
  });
}

template <class A>
void launch_backward_of(const Problem<A>& p, const Gradients<A>& g, Stream stream) {
  const unsigned tiles = blocks_for(p.T, kTileRows);
  launch_kernel<delta_kernel<A>>(blocks_for(p.T * p.H, kBlock / kWarp), kBlock, 0, stream, p, g);
  if (p.sinks != nullptr) launch_kernel<dsinks_kernel<A>>(static_cast<unsigned>(p.H), kBlock, 0, stream, p, g);
  with_tile_of(p.D, p.Dv, [&]<int max_dim>() {
    const auto shared_bytes = static_cast<size_t>(backward_shared_floats<max_dim>(p.D, p.Dv)) * 4;
    launch_kernel<dq_kernel<A, max_dim>>(dim3(tiles, static_cast<unsigned>(p.H)), kTileThreads, shared_bytes, stream, p,
                                         g);
    launch_kernel<dkv_kernel<A, max_dim>>(dim3(tiles, static_cast<unsigned>(p.K)), kTileThreads, shared_bytes, stream,
                                          p, g);
  });
}

void launch_backward(const KernelArgs& args, const Worker& me) {
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    const Problem<A> p = problem_of<A>(args, static_cast<const AttentionBackward&>(*args.op).heads, 7);
    if (p.T == 0) return;
    const Gradients<A> g{static_cast<const A*>(args.inputs[4].data),
                         static_cast<const A*>(args.inputs[6].data),
                         args.inputs[5].f32(),
                         static_cast<A*>(args.outputs[0].data),
                         static_cast<A*>(args.outputs[1].data),
                         static_cast<A*>(args.outputs[2].data),
                         p.sinks != nullptr ? args.outputs[3].f32() : nullptr,
                         reinterpret_cast<float*>(args.scratch)};
    launch_backward_of(p, g, stream_of(me));
  });
}

}  // namespace

template <>
Kernel kernel_for(const Attention& op, Types) {
  if (op.heads.head_dim > kMaxHeadDim || op.heads.v_dim() > kMaxHeadDim) return {};
  return {launch_forward};
}
template <>
Kernel kernel_for(const AttentionBackward& op, Types inputs) {
  if (op.heads.head_dim > kMaxHeadDim || op.heads.v_dim() > kMaxHeadDim) return {};
  return {launch_backward, static_cast<size_t>(inputs[0].shape[0] * op.heads.n_heads) * sizeof(float)};
}

}  // namespace hearth::HEARTH_GPU
