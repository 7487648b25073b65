// attention_cached, CUDA
// math:     as cpu.cpp
// shapes:   q [T,H,D], out [T,H,Dv], k [T,K,D], v [T,K,Dv] f32; caches [n_pages,K,page_size,D or Dv] f32, f16 or bf16;
//           positions, seq_of_token [T] i32, page_table [n_seqs,max_pages] i32
// traffic:  (D+Dv)·K cache elements a visible position, for each 16 rows that read it: memory bound in decode
// mapping:  one launch stores; then one block per kv head and up to 16 rows: the query heads of that kv head, of as
//           many neighbouring tokens of a sequence as fit; more than 16 heads go 16 at a time
// needs:    D, Dv <= 576. A single long sequence fills K blocks only: splitting over positions is not done yet
// numerics: fp32; positions in ascending order; a token's bits do not depend on the other tokens
#include "runtime/kernels/attention_tile.cuh"
#include "runtime/ops/attention_cached/attention_cached.h"

namespace hearth::HEARTH_GPU {
namespace {

struct Problem {
  int64_t T;
  int H, K, D, Dv;
  int64_t window;  // 0: none
  ScoreRule rule;
  int64_t page_size, max_pages;
  const float *q, *k, *v;
  void *k_cache, *v_cache;
  const int32_t *positions, *seq_of_token, *page_table;
  float* out;
  const void* sinks;  // null: none
  Dtype sinks_dtype;

  __device__ int64_t cache_row(int64_t t, int64_t position, int kv) const {
    const int64_t page = page_table[seq_of_token[t] * max_pages + position / page_size];
    return (page * K + kv) * page_size + position % page_size;
  }
  __device__ float sink(int h) const { return sinks == nullptr ? -INFINITY : float_at(sinks_dtype, sinks, h); }
};

template <Dtype dtype>
__device__ void put(void* cache, int64_t i, float x) {
  if constexpr (dtype == Dtype::f32) static_cast<float*>(cache)[i] = x;
  if constexpr (dtype == Dtype::f16) static_cast<uint16_t*>(cache)[i] = float_to_f16(x);
  if constexpr (dtype == Dtype::bf16) static_cast<uint16_t*>(cache)[i] = float_to_bf16(x);
}

// x [T,K*width] → cache.
template <Dtype dtype>
__global__ void append_kernel(Problem p, const float* x, void* cache, int width) {
  const int64_t i = thread_index();
  if (i >= p.T * p.K * width) return;
  const int64_t t = i / (p.K * width), d = i % width;
  const int kv = static_cast<int>(i / width % p.K);
  if (p.positions[t] < 0) return;
  put<dtype>(cache, p.cache_row(t, p.positions[t], kv) * width + d, x[i]);
}

// The tokens that share a block with token t, from t on: neighbours of one sequence, up to the next multiple of `most`.
// None when t is in the block of an earlier token.
__device__ int tokens_from(const Problem& p, int64_t t, int most) {
  auto go_together = [&](int64_t a, int64_t b) {
    return p.positions[a] >= 0 && p.positions[b] >= 0 && p.seq_of_token[a] == p.seq_of_token[b];
  };
  if (t % most != 0 && go_together(t - 1, t)) return 0;
  int n = 1;
  while ((t + n) % most != 0 && t + n < p.T && go_together(t + n - 1, t + n)) ++n;
  return n;
}

// The positions that token t sees are [first_position, positions[t]].
__device__ int64_t first_position(const Problem& p, int64_t t) {
  const int64_t first = p.positions[t] + 1 - p.window;
  return p.window > 0 && first > 0 ? first : 0;
}

template <Dtype dtype, int max_dim>
__global__ void __launch_bounds__(kTileThreads) attend_kernel(Problem p) {
  HEARTH_DYNAMIC_SHARED(shared, float);
  const int kv = static_cast<int>(blockIdx.y), group = p.H / p.K, most = group < kTileRows ? kTileRows / group : 1;
  const int64_t t = blockIdx.x;
  const int n_tokens = tokens_from(p, t, most);
  if (n_tokens == 0) return;
  int64_t begin = first_position(p, t), end = 0;
  for (int i = 0; i < n_tokens; ++i) {
    const int64_t first = first_position(p, t + i), last = p.positions[t + i];
    begin = first < begin ? first : begin;
    end = last + 1 > end ? last + 1 : end;
  }
  for (int first = 0; first < group; first += kTileRows) {
    const int n_heads = group - first < kTileRows ? group - first : kTileRows;
    auto row_of = [&](int r) { return (t + r / n_heads) * p.H + kv * group + first + r % n_heads; };
    const int mine = TileThread().row / n_heads;  // the token of this thread's row
    const int64_t last = mine < n_tokens ? p.positions[t + mine] : -1;
    const int64_t from = mine < n_tokens ? first_position(p, t + mine) : 0;
    __syncthreads();
    attend<max_dim>(
        shared, n_tokens * n_heads, p.D, p.Dv, p.rule, begin, end,
        [&](int r, int d) { return p.q[row_of(r) * p.D + d]; },
        [&](int64_t s, int d) { return weight_at<dtype>(p.k_cache, p.cache_row(t, s, kv) * p.D + d); },
        [&](int64_t s, int d) { return weight_at<dtype>(p.v_cache, p.cache_row(t, s, kv) * p.Dv + d); },
        [&](int, int64_t s) { return s >= from && s <= last; },
        [&](int r) { return p.sink(kv * group + first + r % n_heads); },
        [&](int r, int d, float value) { p.out[row_of(r) * p.Dv + d] = value; }, [](int, float) {});
  }
}

template <Dtype dtype>
void launch_for(const Problem& p, Stream stream) {
  launch_kernel<append_kernel<dtype>>(blocks_for(p.T * p.K * p.D), kBlock, 0, stream, p, p.k, p.k_cache, p.D);
  launch_kernel<append_kernel<dtype>>(blocks_for(p.T * p.K * p.Dv), kBlock, 0, stream, p, p.v, p.v_cache, p.Dv);
  const dim3 grid(static_cast<unsigned>(p.T), static_cast<unsigned>(p.K));
  with_tile_of(p.D, p.Dv, [&]<int max_dim>() {
    launch_kernel<attend_kernel<dtype, max_dim>>(
        grid, kTileThreads, static_cast<size_t>(attend_shared_floats<max_dim>(p.D, p.Dv)) * 4, stream, p);
  });
}

void launch(const KernelArgs& args, const Worker& me) {
  const AttentionAttributes& a = static_cast<const AttentionCached&>(*args.op).heads;
  const Problem p{args.inputs[0].dim(0),
                  a.n_heads,
                  a.n_kv_heads,
                  a.head_dim,
                  a.v_dim(),
                  a.window,
                  {a.softmax_scale, a.softcap},
                  args.inputs[3].dim(2),
                  args.inputs[7].dim(1),
                  args.inputs[0].f32(),
                  args.inputs[1].f32(),
                  args.inputs[2].f32(),
                  args.inputs[3].data,
                  args.inputs[4].data,
                  args.inputs[5].i32(),
                  args.inputs[6].i32(),
                  args.inputs[7].i32(),
                  args.outputs[0].f32(),
                  a.has_sinks ? args.inputs[8].data : nullptr,
                  a.has_sinks ? args.inputs[8].type.dtype : Dtype::f32};
  if (p.T == 0) return;
  switch (args.inputs[3].type.dtype) {
    case Dtype::f32:
      return launch_for<Dtype::f32>(p, stream_of(me));
    case Dtype::f16:
      return launch_for<Dtype::f16>(p, stream_of(me));
    case Dtype::bf16:
      return launch_for<Dtype::bf16>(p, stream_of(me));
    default:
      return;  // refused by the shape rule
  }
}

}  // namespace

template <>
Kernel kernel_for(const AttentionCached& op, Types) {
  if (op.heads.head_dim > kMaxHeadDim || op.heads.v_dim() > kMaxHeadDim) return {};
  return {launch};
}

}  // namespace hearth::HEARTH_GPU
