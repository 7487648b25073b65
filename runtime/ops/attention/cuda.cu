// attention and its backward, CUDA
// math:     as cpu.cpp
// shapes:   q, out [T,H*D], k, v [T,K*D] f32, segment_begin [T] i32, lse [T,H] f32; scratch [T,H] f32: delta
// traffic:  forward 4·D, backward 14·D flops per (query, head, visible key): scores are computed for dq and for dk, dv
// mapping:  forward, dq: one block per 16 queries of a head; dk, dv: one block per 16 keys of a kv head
// needs:    D <= 256
// numerics: fp32 without tensor cores; sums in order: deterministic
#include "runtime/kernels/attention_tile.cuh"
#include "runtime/ops/attention/attention.h"

namespace hearth {
namespace {

using namespace cuda;  // NOLINT(google-build-using-namespace): the tile vocabulary

struct Problem {
  int64_t T;
  int H, K, D;
  float scale;
  const float *q, *k, *v;
  const int32_t* segment_begin;

  __device__ int kv_of(int h) const { return h / (H / K); }
  __device__ int64_t query(int64_t t, int h) const { return (t * H + h) * D; }
  __device__ int64_t key(int64_t s, int kv) const { return (s * K + kv) * D; }
  __device__ bool visible(int64_t t, int64_t s) const { return s <= t && s >= segment_begin[t]; }
  // The first key that any of the queries [begin, begin + n) sees.
  __device__ int64_t first_key(int64_t begin, int n) const {
    int64_t first = begin;
    for (int i = 0; i < n; ++i) first = first < segment_begin[begin + i] ? first : segment_begin[begin + i];
    return first;
  }
};

template <class AttentionOp>
Problem problem_of(const KernelArgs& args) {
  const auto& op = static_cast<const AttentionOp&>(*args.op);
  return {args.inputs[0].dim(0), op.n_heads,           op.n_kv_heads,        op.head_dim,         op.softmax_scale,
          args.inputs[0].f32(),  args.inputs[1].f32(), args.inputs[2].f32(), args.inputs[3].i32()};
}

__device__ int rows_left(int64_t T, int64_t begin, int most) {
  return static_cast<int>(T - begin < most ? T - begin : most);
}

__global__ void __launch_bounds__(kTileThreads) attention_kernel(Problem p, float* out, float* lse) {
  extern __shared__ float shared[];
  const int64_t begin = static_cast<int64_t>(blockIdx.x) * kTileRows;
  const int h = static_cast<int>(blockIdx.y), kv = p.kv_of(h), n = rows_left(p.T, begin, kTileRows);
  attend(
      shared, n, p.D, p.scale, p.first_key(begin, n), begin + n,
      [&](int r, int d) { return p.q[p.query(begin + r, h) + d]; },
      [&](int64_t s, int d) { return p.k[p.key(s, kv) + d]; }, [&](int64_t s, int d) { return p.v[p.key(s, kv) + d]; },
      [&](int r, int64_t s) { return p.visible(begin + r, s); },
      [&](int r, int d, float value) { out[p.query(begin + r, h) + d] = value; },
      [&](int r, float value) { lse[(begin + r) * p.H + h] = value; });
}

// ---- backward ----

struct Gradients {
  const float *out, *lse, *dout;
  float *dq, *dk, *dv, *delta;
};

__global__ void delta_kernel(Problem p, Gradients g) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * (blockDim.x / kWarp) + threadIdx.x / kWarp;
  if (row >= p.T * p.H) return;
  float sum = 0;
  for (int d = threadIdx.x % kWarp; d < p.D; d += kWarp) sum += g.out[row * p.D + d] * g.dout[row * p.D + d];
  sum = warp_sum(sum);
  if (threadIdx.x % kWarp == 0) g.delta[row] = sum;
}

__host__ __device__ inline int backward_shared_floats(int D) {
  return 2 * (kTileRows + kTilePartners) * (D + 1) + 2 * kTileRows * (kTilePartners + 1);
}

// Rows are queries, partners are keys.
__global__ void __launch_bounds__(kTileThreads) dq_kernel(Problem p, Gradients g) {
  extern __shared__ float shared[];
  const TileThread me;
  const int ld = p.D + 1, h = static_cast<int>(blockIdx.y), kv = p.kv_of(h);
  const int64_t begin = static_cast<int64_t>(blockIdx.x) * kTileRows;
  const int n = rows_left(p.T, begin, kTileRows);
  float *queries = shared, *douts = queries + kTileRows * ld, *keys = douts + kTileRows * ld;
  float *values = keys + kTilePartners * ld, *dscores = values + kTilePartners * ld + me.row * (kTilePartners + 1);
  load_tile(queries, kTileRows, ld, n, p.D, [&](int r, int d) { return p.q[p.query(begin + r, h) + d]; });
  load_tile(douts, kTileRows, ld, n, p.D, [&](int r, int d) { return g.dout[p.query(begin + r, h) + d]; });
  const int64_t t = begin + me.row;
  const float lse = me.row < n ? g.lse[t * p.H + h] : 0.0f, delta = me.row < n ? g.delta[t * p.H + h] : 0.0f;
  float acc[kFeaturesPerThread] = {};
  for (int64_t first = p.first_key(begin, n); first < begin + n; first += kTilePartners) {
    const int n_keys = rows_left(begin + n, first, kTilePartners);
    __syncthreads();
    load_tile(keys, kTilePartners, ld, n_keys, p.D, [&](int s, int d) { return p.k[p.key(first + s, kv) + d]; });
    load_tile(values, kTilePartners, ld, n_keys, p.D, [&](int s, int d) { return p.v[p.key(first + s, kv) + d]; });
    __syncthreads();
#pragma unroll
    for (int i = 0; i < kPartnersPerThread; ++i) {
      const int s = me.lane + i * kRowThreads;
      float ds = 0;
      if (me.row < n && s < n_keys && p.visible(t, first + s)) {
        const float weight = expf(p.scale * tile_dot(queries + me.row * ld, keys + s * ld, p.D) - lse);
        ds = p.scale * weight * (tile_dot(douts + me.row * ld, values + s * ld, p.D) - delta);
      }
      dscores[s] = ds;
    }
    __syncwarp();
    add_weighted(acc, dscores, keys, ld, me.lane, p.D);
  }
  if (me.row >= n) return;
#pragma unroll
  for (int i = 0; i < kFeaturesPerThread; ++i) {
    const int d = me.lane + i * kRowThreads;
    if (d < p.D) g.dq[p.query(t, h) + d] = acc[i];
  }
}

// Rows are keys, partners are queries, for all query heads of the kv head.
__global__ void __launch_bounds__(kTileThreads) dkv_kernel(Problem p, Gradients g) {
  extern __shared__ float shared[];
  const TileThread me;
  const int ld = p.D + 1, kv = static_cast<int>(blockIdx.y), group = p.H / p.K;
  const int64_t begin = static_cast<int64_t>(blockIdx.x) * kTileRows;
  const int n = rows_left(p.T, begin, kTileRows);
  float *keys = shared, *values = keys + kTileRows * ld, *queries = values + kTileRows * ld;
  float *douts = queries + kTilePartners * ld, *rows = douts + kTilePartners * ld;
  float *weights = rows + me.row * (kTilePartners + 1), *dscores = weights + kTileRows * (kTilePartners + 1);
  load_tile(keys, kTileRows, ld, n, p.D, [&](int r, int d) { return p.k[p.key(begin + r, kv) + d]; });
  load_tile(values, kTileRows, ld, n, p.D, [&](int r, int d) { return p.v[p.key(begin + r, kv) + d]; });
  const int64_t s = begin + me.row;
  float dk[kFeaturesPerThread] = {}, dv[kFeaturesPerThread] = {};
  for (int64_t first = begin; first < p.T; first += kTilePartners) {
    const int n_queries = rows_left(p.T, first, kTilePartners);
    bool any = false;
    for (int i = me.lane; i < n_queries; i += kRowThreads) any |= me.row < n && p.visible(first + i, s);
    if (!__syncthreads_or(any)) continue;
    for (int h = kv * group; h < (kv + 1) * group; ++h) {
      __syncthreads();
      load_tile(queries, kTilePartners, ld, n_queries, p.D,
                [&](int i, int d) { return p.q[p.query(first + i, h) + d]; });
      load_tile(douts, kTilePartners, ld, n_queries, p.D,
                [&](int i, int d) { return g.dout[p.query(first + i, h) + d]; });
      __syncthreads();
#pragma unroll
      for (int j = 0; j < kPartnersPerThread; ++j) {
        const int i = me.lane + j * kRowThreads;
        const int64_t t = first + i;
        float weight = 0, ds = 0;
        if (me.row < n && i < n_queries && p.visible(t, s)) {
          weight = expf(p.scale * tile_dot(keys + me.row * ld, queries + i * ld, p.D) - g.lse[t * p.H + h]);
          ds = p.scale * weight * (tile_dot(values + me.row * ld, douts + i * ld, p.D) - g.delta[t * p.H + h]);
        }
        weights[i] = weight;
        dscores[i] = ds;
      }
      __syncwarp();
      add_weighted(dk, dscores, queries, ld, me.lane, p.D);
      add_weighted(dv, weights, douts, ld, me.lane, p.D);
    }
  }
  if (me.row >= n) return;
#pragma unroll
  for (int i = 0; i < kFeaturesPerThread; ++i) {
    const int d = me.lane + i * kRowThreads;
    if (d >= p.D) continue;
    g.dk[p.key(s, kv) + d] = dk[i];
    g.dv[p.key(s, kv) + d] = dv[i];
  }
}

void launch_forward(const KernelArgs& args, void* stream) {
  const Problem p = problem_of<Attention>(args);
  if (p.T == 0) return;
  const int shared_bytes = attend_shared_floats(p.D) * 4;
  allow_shared_bytes(attention_kernel, shared_bytes);
  attention_kernel<<<dim3(blocks_for(p.T, kTileRows), static_cast<unsigned>(p.H)), kTileThreads,
                     static_cast<size_t>(shared_bytes), stream_of(stream)>>>(p, args.outputs[0].f32(),
                                                                             args.outputs[1].f32());
}

void launch_backward(const KernelArgs& args, void* stream) {
  const Problem p = problem_of<AttentionBackward>(args);
  if (p.T == 0) return;
  const Gradients g{args.inputs[4].f32(),
                    args.inputs[5].f32(),
                    args.inputs[6].f32(),
                    args.outputs[0].f32(),
                    args.outputs[1].f32(),
                    args.outputs[2].f32(),
                    reinterpret_cast<float*>(args.scratch)};
  const int shared_bytes = backward_shared_floats(p.D) * 4;
  allow_shared_bytes(dq_kernel, shared_bytes);
  allow_shared_bytes(dkv_kernel, shared_bytes);
  const unsigned tiles = blocks_for(p.T, kTileRows);
  delta_kernel<<<blocks_for(p.T * p.H, kBlock / kWarp), kBlock, 0, stream_of(stream)>>>(p, g);
  dq_kernel<<<dim3(tiles, static_cast<unsigned>(p.H)), kTileThreads, static_cast<size_t>(shared_bytes),
              stream_of(stream)>>>(p, g);
  dkv_kernel<<<dim3(tiles, static_cast<unsigned>(p.K)), kTileThreads, static_cast<size_t>(shared_bytes),
               stream_of(stream)>>>(p, g);
}

}  // namespace

CudaKernel Attention::cuda_kernel(Types) const {
  if (head_dim > kMaxHeadDim) return {};
  return {launch_forward};
}
CudaKernel AttentionBackward::cuda_kernel(Types inputs) const {
  if (head_dim > kMaxHeadDim) return {};
  return {launch_backward, static_cast<size_t>(inputs[0].shape[0] * n_heads) * sizeof(float)};
}

}  // namespace hearth
