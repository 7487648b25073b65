// attention_cached, CUDA
// math:     as cpu.cpp
// shapes:   q [T,H,D], out [T,H,Dv], k [T,K,D], v [T,K,Dv] f32 or bf16; caches [n_pages,K,page_size,D or Dv] f32, f16 or
//           bf16; positions, seq_of_token [T] i32, page_table [n_seqs,max_pages] i32
// traffic:  (D+Dv)·K cache elements a visible position, for each 16 rows that read it: memory bound in decode
// mapping:  one launch stores; then one block per kv head and tile of rows: up to 16, 32 or 64 of its query heads (of
//           as many neighbouring tokens of a sequence as fit). Up to 8 tokens over long sequences are cut along the
//           positions too, at fixed borders, and one warp a (token, head) merges the parts
// needs:    D, Dv <= 576
// numerics: bf16 queries on a bf16 cache: tensor cores with f32 sums, weights rounded to bf16; else fp32. Positions in
//           ascending order; a token's bits do not depend on the other tokens
#include "runtime/kernels/flash_tile.cuh"
#include "runtime/ops/attention_cached/attention_cached.h"

namespace hearth::HEARTH_GPU {
namespace {

constexpr int64_t kMaxTokensToSplit = 8;  // more tokens are blocks enough; bounds the scratch for parts
constexpr int64_t kMinChunk = 256, kMaxChunks = 64, kChunkGrain = 64;

int64_t chunk_length(int64_t max_positions) {
  const int64_t even = (max_positions + kMaxChunks - 1) / kMaxChunks, whole = (even + kChunkGrain - 1) / kChunkGrain;
  return whole * kChunkGrain > kMinChunk ? whole * kChunkGrain : kMinChunk;
}

struct Problem {
  int64_t T;
  int H, K, D, Dv;
  int64_t window;  // 0: none
  ScoreRule rule;
  int64_t page_size, max_pages;
  const void *q, *k, *v;
  void *k_cache, *v_cache;
  const int32_t *positions, *seq_of_token, *page_table;
  void* out;
  const void* sinks;  // null: none
  Dtype sinks_dtype;
  int64_t chunk;             // of positions that a block attends to; 0: it attends to all
  float *parts, *parts_lse;  // [n_chunks][T][H][Dv], [n_chunks][T][H]

  __device__ int64_t cache_row(int64_t t, int64_t position, int kv) const {
    const int64_t page = page_table[seq_of_token[t] * max_pages + position / page_size];
    return (page * K + kv) * page_size + position % page_size;
  }
  __device__ float sink(int h) const { return sinks == nullptr ? -INFINITY : float_at(sinks_dtype, sinks, h); }
  // The positions that token t sees are [first_position(t), positions[t]].
  __device__ int64_t first_position(int64_t t) const {
    const int64_t first = positions[t] + 1 - window;
    return window > 0 && first > 0 ? first : 0;
  }
  __device__ bool go_together(int64_t a, int64_t b) const {
    return positions[a] >= 0 && positions[b] >= 0 && seq_of_token[a] == seq_of_token[b];
  }
};

template <Dtype dtype>
__device__ void put(void* cache, int64_t i, float x) {
  if constexpr (dtype == Dtype::f32) static_cast<float*>(cache)[i] = x;
  if constexpr (dtype == Dtype::f16) static_cast<uint16_t*>(cache)[i] = float_to_f16(x);
  if constexpr (dtype == Dtype::bf16) static_cast<uint16_t*>(cache)[i] = float_to_bf16(x);
}

// x [T,K*width] → cache.
template <class A, Dtype dtype>
__global__ void append_kernel(Problem p, const void* x, void* cache, int width) {
  const int64_t i = thread_index();
  if (i >= p.T * p.K * width) return;
  const int64_t t = i / (p.K * width), d = i % width;
  const int kv = static_cast<int>(i / width % p.K);
  if (p.positions[t] < 0) return;
  put<dtype>(cache, p.cache_row(t, p.positions[t], kv) * width + d, static_cast<const A*>(x)[i]);
}

// ---- tiles ----

// Query rows of one kv head that a block attends with: heads [head, head + n_heads) of tokens [token, token +
// n_tokens).
struct Tile {
  int64_t token, begin, end;  // the positions that any of them sees, of this block's chunk
  int n_tokens, kv, head, n_heads;
  __device__ int n_rows() const { return n_tokens * n_heads; }
  __device__ int64_t token_of(int r) const { return token + r / n_heads; }
  __device__ int head_of(int r) const { return head + r % n_heads; }
};

__host__ __device__ int sets_of_heads(int group, int most_rows) {
  return (group + most_rows - 1) / most_rows;
}

// The tokens that share a block with token t, from t on: neighbours of one sequence, up to the next multiple of `most`.
// None when t is in the block of an earlier token.
__device__ int tokens_from(const Problem& p, int64_t t, int most) {
  if (t % most != 0 && p.go_together(t - 1, t)) return 0;
  int n = 1;
  while ((t + n) % most != 0 && t + n < p.T && p.go_together(t + n - 1, t + n)) ++n;
  return n;
}

// Of block (token, set of heads, chunk); without tokens when it has nothing to do.
__device__ Tile tile_of_block(const Problem& p, int most_rows) {
  const int group = p.H / p.K, n_sets = sets_of_heads(group, most_rows), set = static_cast<int>(blockIdx.y) % n_sets;
  Tile tile{static_cast<int64_t>(blockIdx.x), 0, 0, 0, static_cast<int>(blockIdx.y) / n_sets, 0, 0};
  tile.head = tile.kv * group + set * most_rows;
  tile.n_heads = group - set * most_rows < most_rows ? group - set * most_rows : most_rows;
  tile.n_tokens = tokens_from(p, tile.token, group < most_rows ? most_rows / group : 1);
  if (tile.n_tokens == 0) return tile;
  tile.begin = p.first_position(tile.token);
  for (int64_t t = tile.token; t < tile.token + tile.n_tokens; ++t) {
    tile.begin = p.first_position(t) < tile.begin ? p.first_position(t) : tile.begin;
    tile.end = p.positions[t] + 1 > tile.end ? p.positions[t] + 1 : tile.end;
  }
  if (p.chunk == 0) return tile;
  const int64_t first = static_cast<int64_t>(blockIdx.z) * p.chunk, last = first + p.chunk;
  tile.begin = tile.begin > first ? tile.begin : first;
  tile.end = tile.end < last ? tile.end : last;
  if (tile.begin >= tile.end) tile.n_tokens = 0;
  return tile;
}

// What becomes of a tile's rows: the output, or this chunk's part of it. Sinks count once, when parts are merged.
template <class A>
struct Results {
  const Problem& p;
  const Tile& tile;
  __device__ int64_t row(int r) const { return tile.token_of(r) * p.H + tile.head_of(r); }
  __device__ int64_t part(int r) const { return static_cast<int64_t>(blockIdx.z) * p.T * p.H + row(r); }
  __device__ bool visible(int r, int64_t s) const {
    const int64_t t = tile.token_of(r);
    return s >= p.first_position(t) && s <= p.positions[t];
  }
  __device__ float sink(int r) const { return p.chunk > 0 ? -INFINITY : p.sink(tile.head_of(r)); }
  __device__ void store(int r, int d, float x) const {
    if (p.chunk > 0)
      p.parts[part(r) * p.Dv + d] = x;
    else
      static_cast<A*>(p.out)[row(r) * p.Dv + d] = x;
  }
  __device__ void finish(int r, float lse) const {
    if (p.chunk > 0) p.parts_lse[part(r)] = lse;
  }
};

template <class A, Dtype dtype, int max_dim>
__global__ void __launch_bounds__(kTileThreads) attend_kernel(Problem p) {
  HEARTH_DYNAMIC_SHARED(shared, float);
  const Tile tile = tile_of_block(p, kTileRows);
  if (tile.n_tokens == 0) return;
  const Results<A> results{p, tile};
  attend<max_dim>(
      shared, tile.n_rows(), p.D, p.Dv, p.rule, tile.begin, tile.end,
      [&](int r, int d) { return static_cast<const A*>(p.q)[results.row(r) * p.D + d]; },
      [&](int64_t s, int d) { return weight_at<dtype>(p.k_cache, p.cache_row(tile.token, s, tile.kv) * p.D + d); },
      [&](int64_t s, int d) { return weight_at<dtype>(p.v_cache, p.cache_row(tile.token, s, tile.kv) * p.Dv + d); },
      [&](int r, int64_t s) { return results.visible(r, s); }, [&](int r) { return results.sink(r); },
      [&](int r, int d, float x) { results.store(r, d, x); }, [&](int r, float lse) { results.finish(r, lse); });
}

template <int max_dim>
__global__ void __launch_bounds__(kFlashThreads) flash_kernel(Problem p, bool is_wide) {
  HEARTH_DYNAMIC_SHARED(tiles, SharedBytes16);
  const Tile tile = tile_of_block(p, FlashTile<max_dim>::kRows);
  if (tile.n_tokens == 0) return;
  const Results<Bf16> results{p, tile};
  const auto row_in = [&](const void* cache, int64_t s, int width) {
    return static_cast<const Bf16*>(cache) + p.cache_row(tile.token, s, tile.kv) * width;
  };
  flash_attend<max_dim>(
      tiles, {tile.n_rows(), p.D, p.Dv, p.rule, tile.begin, tile.end, is_wide},
      [&](int r) { return static_cast<const Bf16*>(p.q) + results.row(r) * p.D; },
      [&](int64_t s) { return row_in(p.k_cache, s, p.D); }, [&](int64_t s) { return row_in(p.v_cache, s, p.Dv); },
      [&](int r, int64_t s) { return results.visible(r, s); }, [&](int r) { return results.sink(r); },
      [&](int r, int d, float x) { results.store(r, d, x); }, [&](int r, float lse) { results.finish(r, lse); });
}

// One warp a (token, head): out = Σ exp(lse of a chunk - lse) · its part, with the sink's share in lse.
template <class A>
__global__ void merge_kernel(Problem p) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * (blockDim.x / kWarp) + threadIdx.x / kWarp;
  if (row >= p.T * p.H) return;
  const int64_t t = row / p.H, n_rows = p.T * p.H, position = p.positions[t];
  const int64_t first = position < 0 ? 0 : p.first_position(t) / p.chunk,
                end = position < 0 ? 0 : position / p.chunk + 1;
  const float sink = p.sink(static_cast<int>(row % p.H));
  float largest = sink;
  for (int64_t c = first; c < end; ++c) largest = fmaxf(largest, p.parts_lse[c * n_rows + row]);
  float sum = sink == -INFINITY ? 0.0f : expf(sink - largest);
  for (int64_t c = first; c < end; ++c) sum += expf(p.parts_lse[c * n_rows + row] - largest);
  for (int d = threadIdx.x % kWarp; d < p.Dv; d += kWarp) {
    float x = 0;
    for (int64_t c = first; c < end; ++c)
      x += expf(p.parts_lse[c * n_rows + row] - largest) * p.parts[(c * n_rows + row) * p.Dv + d];
    static_cast<A*>(p.out)[row * p.Dv + d] = end > first ? x / sum : 0.0f;
  }
}

// ---- launches ----

int64_t max_positions(const Problem& p) {
  return p.max_pages * p.page_size;
}

dim3 grid_of(const Problem& p, int most_rows) {
  const int64_t n_chunks = p.chunk > 0 ? (max_positions(p) + p.chunk - 1) / p.chunk : 1;
  return {static_cast<unsigned>(p.T), static_cast<unsigned>(p.K * sets_of_heads(p.H / p.K, most_rows)),
          static_cast<unsigned>(n_chunks)};
}

void launch_flash(const Problem& p, Stream stream) {
  const bool is_wide = p.D % 8 == 0 && p.Dv % 8 == 0 && are_16_byte_aligned({p.q, p.k_cache, p.v_cache});
  with_tile_of(p.D, p.Dv, [&]<int max_dim>() {
    launch_kernel<flash_kernel<max_dim>>(grid_of(p, FlashTile<max_dim>::kRows), kFlashThreads,
                                         flash_shared_bytes<max_dim>(p.D, p.Dv), stream, p, is_wide);
  });
}

template <class A, Dtype dtype>
void launch_for(const Problem& p, Stream stream) {
  launch_kernel<append_kernel<A, dtype>>(blocks_for(p.T * p.K * p.D), kBlock, 0, stream, p, p.k, p.k_cache, p.D);
  launch_kernel<append_kernel<A, dtype>>(blocks_for(p.T * p.K * p.Dv), kBlock, 0, stream, p, p.v, p.v_cache, p.Dv);
  if constexpr (std::is_same_v<A, Bf16> && dtype == Dtype::bf16) {
    launch_flash(p, stream);
  } else {
    with_tile_of(p.D, p.Dv, [&]<int max_dim>() {
      launch_kernel<attend_kernel<A, dtype, max_dim>>(grid_of(p, kTileRows), kTileThreads,
                                                      static_cast<size_t>(attend_shared_floats<max_dim>(p.D, p.Dv)) * 4,
                                                      stream, p);
    });
  }
  if (p.chunk > 0) launch_kernel<merge_kernel<A>>(blocks_for(p.T * p.H, kBlock / kWarp), kBlock, 0, stream, p);
}

// Of scratch: parts and their log-sum-exps, where positions are cut.
int64_t parts_of(const AttentionAttributes& a, int64_t T, int64_t n_positions) {
  if (T > kMaxTokensToSplit || n_positions <= kMinChunk) return 0;
  const int64_t chunk = chunk_length(n_positions);
  return (n_positions + chunk - 1) / chunk * T * a.n_heads;
}

Problem problem_of(const KernelArgs& args) {
  const AttentionAttributes& a = static_cast<const AttentionCached&>(*args.op).heads;
  Problem p{args.inputs[0].dim(0),
            a.n_heads,
            a.n_kv_heads,
            a.head_dim,
            a.v_dim(),
            a.window,
            {a.softmax_scale, a.softcap},
            args.inputs[3].dim(2),
            args.inputs[7].dim(1),
            args.inputs[0].data,
            args.inputs[1].data,
            args.inputs[2].data,
            args.inputs[3].data,
            args.inputs[4].data,
            args.inputs[5].i32(),
            args.inputs[6].i32(),
            args.inputs[7].i32(),
            args.outputs[0].data,
            a.has_sinks ? args.inputs[8].data : nullptr,
            a.has_sinks ? args.inputs[8].type.dtype : Dtype::f32,
            0,
            nullptr,
            nullptr};
  if (const int64_t n_parts = parts_of(a, p.T, max_positions(p)); n_parts > 0) {
    p.chunk = chunk_length(max_positions(p));
    p.parts = reinterpret_cast<float*>(args.scratch);
    p.parts_lse = p.parts + n_parts * p.Dv;
  }
  return p;
}

void launch(const KernelArgs& args, const Worker& me) {
  const Problem p = problem_of(args);
  if (p.T == 0) return;
  with_activations(args.inputs[0].type.dtype, [&]<class A>() {
    switch (args.inputs[3].type.dtype) {
      case Dtype::f32:
        return launch_for<A, Dtype::f32>(p, stream_of(me));
      case Dtype::f16:
        return launch_for<A, Dtype::f16>(p, stream_of(me));
      case Dtype::bf16:
        return launch_for<A, Dtype::bf16>(p, stream_of(me));
      default:
        return;  // refused by the shape rule
    }
  });
}

}  // namespace

template <>
Kernel kernel_for(const AttentionCached& op, Types inputs) {
  if (op.heads.head_dim > kMaxHeadDim || op.heads.v_dim() > kMaxHeadDim) return {};
  const int64_t n_parts = parts_of(op.heads, inputs[0].shape[0], inputs[7].shape[1] * inputs[3].shape[2]);
  return {launch, static_cast<size_t>(n_parts * (op.heads.v_dim() + 1)) * sizeof(float)};
}

}  // namespace hearth::HEARTH_GPU
