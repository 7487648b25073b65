// Attention on a tile of 16 rows against tiles of partners, in shared memory: what the attention kernels share. 128
// threads; thread (row r = tid / 8, lane j = tid % 8) owns partners j, j + 8, ... and features j, j + 8, ... of its
// row, so that the eight threads of a row sit in one warp and exchange by shuffles.
#pragma once

#include "runtime/kernels/cuda_common.cuh"

namespace hearth::HEARTH_GPU {

inline constexpr int kTileRows = 16, kRowThreads = 8, kTileThreads = kTileRows * kRowThreads;
inline constexpr int kMaxHeadDim = 576;  // of MLA, keys and latent together

// Sizes for heads of up to max_dim features: what a thread keeps in registers, and how many partners are in shared
// memory at a time, so that tiles fit where a block has 99 KiB (compute capability 8.6 and 8.9).
template <int max_dim>
struct TileOf {
  static constexpr int kFeatures = max_dim / kRowThreads;
  static constexpr int kPartners = max_dim <= 128 ? 32 : max_dim <= 256 ? 16 : 8;
  static constexpr int kPartnersPerThread = kPartners / kRowThreads;  // at least 1
};

// Calls body.template operator()<max_dim>() for heads of D and Dv features, at most kMaxHeadDim.
template <class Body>
auto with_tile_of(int D, int Dv, Body body) {
  const int larger = D > Dv ? D : Dv;
  if (larger <= 128) return body.template operator()<128>();
  if (larger <= 256) return body.template operator()<256>();
  return body.template operator()<kMaxHeadDim>();
}

struct TileThread {
  int row = static_cast<int>(threadIdx.x) / kRowThreads, lane = static_cast<int>(threadIdx.x) % kRowThreads;
};

__device__ inline float row_sum(float x) {
  for (int offset = kRowThreads / 2; offset > 0; offset /= 2) x += __shfl_xor_sync(0xffffffffu, x, offset);
  return x;
}
__device__ inline float row_max(float x) {
  for (int offset = kRowThreads / 2; offset > 0; offset /= 2) x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, offset));
  return x;
}

// tile [n_slots][ld] = element(slot, d) for slots of [begin, end), zero elsewhere. ld = D + 1 keeps columns in
// different banks.
template <class Element>
__device__ void load_tile(float* tile, int n_slots, int ld, int begin, int end, int D, Element element) {
  for (int i = static_cast<int>(threadIdx.x); i < n_slots * D; i += kTileThreads) {
    const int slot = i / D, d = i % D;
    tile[slot * ld + d] = slot >= begin && slot < end ? element(slot, d) : 0.0f;
  }
}

__device__ inline float tile_dot(const float* a, const float* b, int D) {
  float sum = 0;
  for (int d = 0; d < D; ++d) sum += a[d] * b[d];
  return sum;
}

// acc[i] += Σ_s weights[s] · tile[s][lane + 8 i]
template <int n_partners, int n_features>
__device__ inline void add_weighted(float (&acc)[n_features], const float* weights, const float* tile, int ld, int lane,
                                    int D) {
  for (int s = 0; s < n_partners; ++s) {
    const float w = weights[s];
#pragma unroll
    for (int i = 0; i < n_features; ++i) {
      const int d = lane + i * kRowThreads;
      if (d < D) acc[i] += w * tile[s * ld + d];
    }
  }
}

// How a dot product becomes a score, and the slope of that.
struct ScoreRule {
  float scale, softcap;  // softcap 0: none
  __device__ float score(float dot) const { return softcap > 0 ? softcap * tanhf(dot * scale / softcap) : dot * scale; }
  __device__ float slope(float score) const {
    const float bent = softcap > 0 ? score / softcap : 0.0f;
    return scale * (1 - bent * bent);
  }
};

template <int max_dim>
__host__ __device__ int attend_shared_floats(int D, int Dv) {
  constexpr int kPartners = TileOf<max_dim>::kPartners;
  return (kTileRows + kPartners) * (D + 1) + kPartners * (Dv + 1) + kTileRows * (kPartners + 1);
}

// One row tile over keys [begin, end) with a running softmax. query(r, d), key(s, d) of D and value(s, d) of Dv
// elements; visible(r, s): may row r, the thread's, see key s; sink(r): the score of a key of value zero, or -infinity.
// store(r, d, value) and finish(r, lse) get the results of rows below n_rows. shared: attend_shared_floats(D, Dv).
// Tiles of keys begin at multiples of their size, so that a row's sums do not depend on the rows beside it.
template <int max_dim, class Query, class Key, class Value, class Visible, class Sink, class Store, class Finish>
__device__ void attend(float* shared, int n_rows, int D, int Dv, ScoreRule rule, int64_t begin, int64_t end,
                       Query query, Key key, Value value, Visible visible, Sink sink, Store store, Finish finish) {
  using Tile = TileOf<max_dim>;
  constexpr int kPartners = Tile::kPartners;
  const TileThread me;
  const int ld = D + 1, ldv = Dv + 1;
  float *queries = shared, *keys = queries + kTileRows * ld, *values = keys + kPartners * ld;
  float* weights = values + kPartners * ldv + me.row * (kPartners + 1);
  load_tile(queries, kTileRows, ld, 0, n_rows, D, query);
  float acc[Tile::kFeatures] = {};
  float largest = me.row < n_rows ? sink(me.row) : -INFINITY, sum = largest == -INFINITY ? 0.0f : 1.0f;
  for (int64_t first = begin - begin % kPartners; first < end; first += kPartners) {
    const int n = static_cast<int>(end - first < kPartners ? end - first : kPartners);
    const int skip = begin > first ? static_cast<int>(begin - first) : 0;
    __syncthreads();
    load_tile(keys, kPartners, ld, skip, n, D, [&](int s, int d) { return key(first + s, d); });
    load_tile(values, kPartners, ldv, skip, n, Dv, [&](int s, int d) { return value(first + s, d); });
    __syncthreads();
    float score[Tile::kPartnersPerThread], top = largest;
#pragma unroll
    for (int i = 0; i < Tile::kPartnersPerThread; ++i) {
      const int s = me.lane + i * kRowThreads;
      const bool seen = me.row < n_rows && s >= skip && s < n && visible(me.row, first + s);
      score[i] = seen ? rule.score(tile_dot(queries + me.row * ld, keys + s * ld, D)) : -INFINITY;
      top = fmaxf(top, score[i]);
    }
    top = row_max(top);
    const float shift = top == -INFINITY ? 0.0f : top, shrink = largest == top ? 1.0f : expf(largest - shift);
    float added = 0;
#pragma unroll
    for (int i = 0; i < Tile::kPartnersPerThread; ++i) {
      const float p = expf(score[i] - shift);
      weights[me.lane + i * kRowThreads] = p;
      added += p;
    }
    sum = sum * shrink + row_sum(added);
    largest = top;
#pragma unroll
    for (int i = 0; i < Tile::kFeatures; ++i) acc[i] *= shrink;
    __syncwarp();
    add_weighted<kPartners>(acc, weights, values, ldv, me.lane, Dv);
  }
  if (me.row >= n_rows) return;
  const float inverse = sum > 0 ? 1.0f / sum : 0.0f;
#pragma unroll
  for (int i = 0; i < Tile::kFeatures; ++i) {
    const int d = me.lane + i * kRowThreads;
    if (d < Dv) store(me.row, d, acc[i] * inverse);
  }
  if (me.lane == 0) finish(me.row, largest + logf(sum));
}

// Element i of sinks or a cache, whose dtype is known at run time.
__device__ inline float float_at(Dtype dtype, const void* data, int64_t i) {
  return dtype == Dtype::f16    ? weight_at<Dtype::f16>(data, i)
         : dtype == Dtype::bf16 ? weight_at<Dtype::bf16>(data, i)
                                : weight_at<Dtype::f32>(data, i);
}

}  // namespace hearth::HEARTH_GPU
