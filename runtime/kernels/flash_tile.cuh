// Attention of a tile of query rows over keys and values in bf16, with tensor cores: each key and value is read once a
// tile. After "FlashAttention-2" (Dao, 2023), but warps share all rows of the tile: for scores each takes a quarter of
// the keys, for the sums a quarter of the features, so that accumulators fit in registers up to 576 features. Keys and
// values come by asynchronous copies while the other half of the work runs.
#pragma once

#include <initializer_list>

#include "runtime/kernels/attention_tile.cuh"

namespace hearth::HEARTH_GPU {

inline constexpr int kFlashWarps = 4, kFlashThreads = kFlashWarps * kWarp;

// For heads of up to max_dim features.
template <int max_dim>
struct FlashTile {
  static constexpr int kRowTiles = max_dim <= 128 ? 4 : max_dim <= 256 ? 2 : 1, kRows = 16 * kRowTiles;
  static constexpr int kKeys = max_dim <= 256 ? 64 : 32, kKeyTiles = kKeys / 8 / kFlashWarps;
  static constexpr int kGroups = (max_dim / 16 + kFlashWarps - 1) / kFlashWarps;  // of 16 features, a warp
};

// Strides in elements: 8 more than a multiple of 32, so that eight rows of ldmatrix lie in different banks.
struct FlashStrides {
  int q, v, weights;
};
template <int max_dim>
__host__ __device__ FlashStrides flash_strides(int D, int Dv) {
  return {(D + 31) / 32 * 32 + 8, (Dv + 31) / 32 * 32 + 8, FlashTile<max_dim>::kKeys + 8};
}
template <int max_dim>
__host__ __device__ size_t flash_shared_bytes(int D, int Dv) {
  using Tile = FlashTile<max_dim>;
  const FlashStrides ld = flash_strides<max_dim>(D, Dv);
  const int halves = (Tile::kRows + Tile::kKeys) * ld.q + Tile::kKeys * ld.v + Tile::kRows * ld.weights;
  return static_cast<size_t>(halves) * 2 + size_t{kFlashWarps} * Tile::kRows * sizeof(float);
}

inline bool are_16_byte_aligned(std::initializer_list<const void*> all) {
  uintptr_t bits = 0;
  for (const void* data : all) bits |= reinterpret_cast<uintptr_t>(data);
  return bits % 16 == 0;
}

struct alignas(16) SharedBytes16 {
  std::byte bytes[16];
};

// tile [n_slots][ld] = row(slot) [D] for slots of [begin, end), zero elsewhere, and beyond D. Neighbouring threads
// share a row. is_wide: rows begin at multiples of 16 bytes, and D is a multiple of 8. Ends with a committed group of
// copies.
template <class Row>
__device__ void load_rows(uint16_t* tile, int n_slots, int ld, int begin, int end, int D, bool is_wide, Row row) {
  const int per_slot = kFlashThreads / n_slots, slot = static_cast<int>(threadIdx.x) / per_slot;
  const bool is_inside = slot >= begin && slot < end;
  const Bf16* from = is_inside ? row(slot) : nullptr;
  for (int d = static_cast<int>(threadIdx.x) % per_slot * 8; d < ld - 8; d += per_slot * 8) {
    uint16_t* to = tile + slot * ld + d;
    if (is_inside && is_wide && d < D)
      __pipeline_memcpy_async(to, from + d, 16);
    else
      for (int j = 0; j < 8; ++j) to[j] = is_inside && d + j < D ? from[d + j].bits : uint16_t{0};
  }
  __pipeline_commit();
}

__device__ inline float quad_max(float x) {
  x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 1));
  return fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 2));
}
__device__ inline float quad_sum(float x) {
  x += __shfl_xor_sync(0xffffffffu, x, 1);
  return x + __shfl_xor_sync(0xffffffffu, x, 2);
}

// Where this thread's elements of a 16 x 8 accumulator are: element e in row row(e), column col(e).
struct FlashThread {
  int warp = static_cast<int>(threadIdx.x) / kWarp, lane = static_cast<int>(threadIdx.x) % kWarp;
  __device__ int row(int e) const { return lane / 4 + e / 2 * 8; }
  __device__ int col(int e) const { return lane % 4 * 2 + e % 2; }
  // The address that this lane gives for a 16 x 16 operand in four matrices.
  __device__ const uint16_t* operand(const uint16_t* tile, int ld) const {
    return tile + lane % 16 * ld + lane / 16 * 8;
  }
};

// What a thread keeps of its rows: two of each tile of 16.
template <int n_tiles>
struct FlashRows {
  float largest[n_tiles][2], sum[n_tiles][2], shrink[n_tiles][2];
};

// score [16 · n][8 · m]: this warp's keys against all rows.
template <int max_dim>
__device__ void flash_scores(const FlashThread& me, const uint16_t* queries, const uint16_t* keys, int ld,
                             float (&score)[FlashTile<max_dim>::kRowTiles][FlashTile<max_dim>::kKeyTiles][4]) {
  using Tile = FlashTile<max_dim>;
  const uint16_t* mine = keys + (me.warp * Tile::kKeyTiles * 8 + me.lane % 8) * ld + me.lane / 8 * 8;
  for (int d = 0; d < ld - 8; d += 32) {
    uint32_t key[Tile::kKeyTiles][4];
#pragma unroll
    for (int n = 0; n < Tile::kKeyTiles; ++n) load_matrices_4(key[n], mine + n * 8 * ld + d);
#pragma unroll
    for (int m = 0; m < Tile::kRowTiles; ++m)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        uint32_t query[4];
        load_matrices_4(query, me.operand(queries + m * 16 * ld + d + half * 16, ld));
#pragma unroll
        for (int n = 0; n < Tile::kKeyTiles; ++n) {
          const uint32_t b[2] = {key[n][2 * half], key[n][2 * half + 1]};
          mma_bf16(score[m][n], query, b);
        }
      }
  }
}

// acc [16 · n][16 · groups of this warp] += weights · values.
template <int max_dim>
__device__ void flash_sums(const FlashThread& me, const uint16_t* weights, int ldw, const uint16_t* values, int ldv,
                           float (&acc)[FlashTile<max_dim>::kRowTiles][FlashTile<max_dim>::kGroups][2][4]) {
  using Tile = FlashTile<max_dim>;
  for (int s = 0; s < Tile::kKeys; s += 16) {
    uint32_t weight[Tile::kRowTiles][4];
#pragma unroll
    for (int m = 0; m < Tile::kRowTiles; ++m) load_matrices_4(weight[m], me.operand(weights + m * 16 * ldw + s, ldw));
#pragma unroll
    for (int g = 0; g < Tile::kGroups; ++g) {
      const int first = (g * kFlashWarps + me.warp) * 16;
      if (first >= ldv - 8) continue;
      uint32_t value[4];
      load_transposed_4(value, me.operand(values + s * ldv + first, ldv));
#pragma unroll
      for (int n = 0; n < 2; ++n) {
        const uint32_t b[2] = {value[2 * n], value[2 * n + 1]};
#pragma unroll
        for (int m = 0; m < Tile::kRowTiles; ++m) mma_bf16(acc[m][g][n], weight[m], b);
      }
    }
  }
}

// What a tile of rows attends to.
struct FlashSizes {
  int n_rows, D, Dv;
  ScoreRule rule;
  int64_t begin, end;  // of the keys
  bool is_wide;        // see load_rows(), for q, k and v
};

// One tile of up to kRows rows with a running softmax, by kFlashThreads threads. query(r), key(s) and value(s) are rows
// of bf16 numbers; visible(r, s), sink(r), store(r, d, value) and finish(r, lse) as of attend(). shared:
// flash_shared_bytes(D, Dv). Tiles of keys begin at multiples of their size, as there.
template <int max_dim, class Query, class Key, class Value, class Visible, class Sink, class Store, class Finish>
__device__ void flash_attend(SharedBytes16* shared, const FlashSizes& sizes, Query query, Key key, Value value,
                             Visible visible, Sink sink, Store store, Finish finish) {
  using Tile = FlashTile<max_dim>;
  constexpr int kRows = Tile::kRows, kKeys = Tile::kKeys;
  const FlashThread me;
  const FlashStrides ld = flash_strides<max_dim>(sizes.D, sizes.Dv);
  auto* queries = reinterpret_cast<uint16_t*>(shared);
  uint16_t *keys = queries + kRows * ld.q, *values = keys + kKeys * ld.q, *weights = values + kKeys * ld.v;
  auto* of_warps = reinterpret_cast<float*>(weights + kRows * ld.weights);  // [warp][row]: largest, at the end sums
  const int n_rows = sizes.n_rows;
  const auto load_keys = [&](int64_t first, uint16_t* tile, int stride, int width, auto row) {
    const int skip = sizes.begin > first ? static_cast<int>(sizes.begin - first) : 0;
    const int64_t left = sizes.end > first ? sizes.end - first : 0;
    load_rows(tile, kKeys, stride, skip, static_cast<int>(left < kKeys ? left : kKeys), width, sizes.is_wide,
              [&](int s) { return row(first + s); });
  };

  FlashRows<Tile::kRowTiles> rows;
#pragma unroll
  for (int m = 0; m < Tile::kRowTiles; ++m)
    for (int half = 0; half < 2; ++half) {
      const int r = m * 16 + me.row(2 * half);
      rows.largest[m][half] = r < n_rows ? sink(r) : -INFINITY;
      rows.sum[m][half] = 0;
    }
  float acc[Tile::kRowTiles][Tile::kGroups][2][4] = {};
  const int64_t begin = sizes.begin - sizes.begin % kKeys;
  __syncthreads();  // a tile before this one may still be read
  load_rows(queries, kRows, ld.q, 0, n_rows, sizes.D, sizes.is_wide, query);
  load_keys(begin, keys, ld.q, sizes.D, key);
  for (int64_t first = begin; first < sizes.end; first += kKeys) {
    __pipeline_wait_prior(0);
    __syncthreads();  // the keys are here, and the last tile's values and weights are done with
    load_keys(first, values, ld.v, sizes.Dv, value);
    float score[Tile::kRowTiles][Tile::kKeyTiles][4] = {};
    flash_scores<max_dim>(me, queries, keys, ld.q, score);
#pragma unroll
    for (int m = 0; m < Tile::kRowTiles; ++m) {
      float top[2] = {-INFINITY, -INFINITY};
#pragma unroll
      for (int n = 0; n < Tile::kKeyTiles; ++n)
        for (int e = 0; e < 4; ++e) {
          const int r = m * 16 + me.row(e);
          const int64_t s = first + (me.warp * Tile::kKeyTiles + n) * 8 + me.col(e);
          const bool is_seen = r < n_rows && s >= sizes.begin && s < sizes.end && visible(r, s);
          score[m][n][e] = is_seen ? sizes.rule.score(score[m][n][e]) : -INFINITY;
          top[e / 2] = fmaxf(top[e / 2], score[m][n][e]);
        }
      for (int half = 0; half < 2; ++half) {
        top[half] = quad_max(top[half]);
        if (me.lane % 4 == 0) of_warps[me.warp * kRows + m * 16 + me.row(2 * half)] = top[half];
      }
    }
    __syncthreads();  // all have scores: room for the next keys
    load_keys(first + kKeys, keys, ld.q, sizes.D, key);
#pragma unroll
    for (int m = 0; m < Tile::kRowTiles; ++m) {
      float shift[2];
      for (int half = 0; half < 2; ++half) {
        float top = rows.largest[m][half];
        for (int w = 0; w < kFlashWarps; ++w) top = fmaxf(top, of_warps[w * kRows + m * 16 + me.row(2 * half)]);
        shift[half] = top == -INFINITY ? 0.0f : top;
        rows.shrink[m][half] = rows.largest[m][half] == top ? 1.0f : expf(rows.largest[m][half] - shift[half]);
        rows.largest[m][half] = top;
        rows.sum[m][half] *= rows.shrink[m][half];
      }
#pragma unroll
      for (int n = 0; n < Tile::kKeyTiles; ++n)
        for (int e = 0; e < 4; ++e) {
          const float p = expf(score[m][n][e] - shift[e / 2]);
          rows.sum[m][e / 2] += p;
          weights[(m * 16 + me.row(e)) * ld.weights + (me.warp * Tile::kKeyTiles + n) * 8 + me.col(e)] =
              float_to_bf16(p);
        }
#pragma unroll
      for (int g = 0; g < Tile::kGroups; ++g)
        for (int n = 0; n < 2; ++n)
          for (int e = 0; e < 4; ++e) acc[m][g][n][e] *= rows.shrink[m][e / 2];
    }
    __pipeline_wait_prior(1);
    __syncthreads();  // values and weights are here
    flash_sums<max_dim>(me, weights, ld.weights, values, ld.v, acc);
  }
  __pipeline_wait_prior(0);

  __syncthreads();
#pragma unroll
  for (int m = 0; m < Tile::kRowTiles; ++m)
    for (int half = 0; half < 2; ++half) {
      const float sum = quad_sum(rows.sum[m][half]);
      if (me.lane % 4 == 0) of_warps[me.warp * kRows + m * 16 + me.row(2 * half)] = sum;
    }
  __syncthreads();
#pragma unroll
  for (int m = 0; m < Tile::kRowTiles; ++m)
    for (int half = 0; half < 2; ++half) {
      const int r = m * 16 + me.row(2 * half);
      if (r >= n_rows) continue;
      const float largest = rows.largest[m][half];
      float sum = largest == -INFINITY ? 0.0f : expf(sink(r) - largest);
      for (int w = 0; w < kFlashWarps; ++w) sum += of_warps[w * kRows + r];
      const float inverse = sum > 0 ? 1.0f / sum : 0.0f;
#pragma unroll
      for (int g = 0; g < Tile::kGroups; ++g)
        for (int n = 0; n < 2; ++n)
          for (int e = 2 * half; e < 2 * half + 2; ++e) {
            const int d = (g * kFlashWarps + me.warp) * 16 + n * 8 + me.col(e);
            if (d < sizes.Dv) store(r, d, acc[m][g][n][e] * inverse);
          }
      if (me.warp == 0 && me.lane % 4 == 0) finish(r, largest + logf(sum));
    }
}

}  // namespace hearth::HEARTH_GPU
