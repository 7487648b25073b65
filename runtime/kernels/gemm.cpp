// Packed GEMM. The team is laid over C as a grid; each thread owns one rectangle of C, and for it runs
//
//   for each block of kRowBlock rows of A        (the packed block stays in L2/L3)
//     for each slice of kDepth of K              (fixed slices: the order of a sum does not depend on the grid)
//       pack A's block into panels of kTileRows
//       for each panel of kTileCols columns of B (packed, and widened to float if it is a weight dtype, into L1)
//         for each panel of A: the micro-kernel adds a kTileRows x kTileCols tile to C, held in registers
//
// Packing is done by each thread for itself: A once per column of the grid, B once per row of the grid. The grid is
// chosen to keep that cheap. Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), is the
// scheme; B's panel is packed late because its source may be quantised, and L1 is the right place for floats made of
// it.
#include "runtime/kernels/gemm.h"

#include "runtime/kernels/convert.h"
#include "runtime/kernels/simd.h"
#include "runtime/kernels/thread_scratch.h"
#include "runtime/kernels/transpose.h"

namespace hearth::HEARTH_ISA {
namespace {

// Accumulators fill the registers: 12 x 2 of 32 (AVX-512), 6 x 2 (AVX2) or 4 x 2 (SSE) of 16, the rest hold B's two
// vectors and one broadcast of A.
constexpr int kTileVecs = 2;
constexpr int kTileRows = HEARTH_ISA_LEVEL == 2 ? 12 : HEARTH_ISA_LEVEL == 1 ? 6 : 4;
constexpr int kTileCols = kTileVecs * kLanes;
// 256 * 32 floats of B are 32 KiB, in L1 (48 KiB) on CPUs with AVX-512; half of it elsewhere. A multiple of every
// block.
constexpr int64_t kDepth = 256;
constexpr int64_t kRowBlock = 48 * kTileRows;
// Threads start at multiples of this many columns, so that no quantised block is cut.
constexpr int64_t kColGrain = 32;

int64_t min_of(int64_t a, int64_t b) {
  return a < b ? a : b;
}
int64_t max_of(int64_t a, int64_t b) {
  return a > b ? a : b;
}
int64_t div_up(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

// ---- micro-kernel ----

template <class Lanes>
HEARTH_INLINE void add_or_set(float* c, Vec v, bool add, Lanes lanes) {
  store(c, add ? load(c, lanes) + v : v, lanes);
}

// c [kRows, n_cols] (+)= a · b for packed a [depth][kTileRows], b [depth][kTileCols].
template <int kRows>
void micro_tile(int64_t depth, const float* __restrict a, const float* __restrict b, float* __restrict c, int64_t ldc,
                int n_cols, bool add) {
  Vec sum[kRows][kTileVecs] = {};
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kTileVecs; ++v) __builtin_prefetch(c + r * ldc + v * kLanes, 1);
  for (int64_t k = 0; k < depth; ++k, a += kTileRows, b += kTileCols) {
    const Vec b0 = load(b), b1 = load(b + kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Vec ar = splat(a[r]);
      sum[r][0] += ar * b0;
      sum[r][1] += ar * b1;
    }
  }
  if (n_cols == kTileCols) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      add_or_set(c + r * ldc, sum[r][0], add, Full{});
      add_or_set(c + r * ldc + kLanes, sum[r][1], add, Full{});
    }
    return;
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kTileVecs; ++v) {
      const int n = n_cols - v * kLanes;
      if (n >= kLanes)
        add_or_set(c + r * ldc + v * kLanes, sum[r][v], add, Full{});
      else if (n > 0)
        add_or_set(c + r * ldc + v * kLanes, sum[r][v], add, Part{n});
    }
}

using MicroTile = void (*)(int64_t, const float*, const float*, float*, int64_t, int, bool);

// The last panel of a block may have fewer rows; their values do not depend on which variant computes them.
MicroTile micro_tile_for(int64_t rows) {
#if HEARTH_ISA_LEVEL == 2
  if (rows > 10) return micro_tile<12>;
  if (rows > 8) return micro_tile<10>;
  if (rows > 6) return micro_tile<8>;
#endif
  if (rows > 4) return micro_tile<6>;
  return rows > 2 ? micro_tile<4> : micro_tile<2>;
}

// ---- packing ----

// out [depth][width] from `rows` rows of `in`, the columns past them zero. Writes up to kLanes floats past the end.
void pack_transposed(const float* in, int64_t ld_in, int64_t rows, float* out, int64_t width, int64_t depth) {
  for (int64_t r = 0; r < width; r += kLanes)
    transpose_rows(in + r * ld_in, ld_in, max_of(0, min_of(kLanes, rows - r)), out + r, width, depth);
}

// One panel of rows of a [M, K], widened if they are quantised.
void pack_a_panel(const GemmArgs& g, int64_t row, int64_t rows, int64_t k0, int64_t depth, float* out) {
  if (g.a_dtype == Dtype::f32)
    return pack_transposed(static_cast<const float*>(g.a) + row * g.K + k0, g.K, rows, out, kTileRows, depth);
  alignas(64) float wide[kTileRows * kDepth];
  for (int64_t r = 0; r < rows; ++r) widen(g.a_dtype, g.a, (row + r) * g.K + k0, wide + r * kDepth, depth);
  pack_transposed(wide, kDepth, rows, out, kTileRows, depth);
}

// Rows [row, row + rows) of op(a), slice [k0, k0 + depth), as panels [depth][kTileRows].
void pack_a(const GemmArgs& g, int64_t row, int64_t rows, int64_t k0, int64_t depth, float* out) {
  if (!g.trans_a) {
    for (int64_t r = 0; r < rows; r += kTileRows, out += depth * kTileRows)
      pack_a_panel(g, row + r, min_of(kTileRows, rows - r), k0, depth, out);
    return;
  }
  const int64_t whole = rows / kTileRows * kTileRows;
  for (int64_t k = 0; k < depth; ++k) {
    const float* from = static_cast<const float*>(g.a) + (k0 + k) * g.M + row;
    float* to = out + k * kTileRows;
    for (int64_t r = 0; r < whole; r += kTileRows) memcpy(to + r * depth, from + r, kTileRows * 4);
    for (int64_t r = whole; r < whole + kTileRows && whole < rows; ++r)
      to[whole * depth + r - whole] = r < rows ? from[r] : 0;
  }
}

// Into L2: what the next panel will be packed from, while this one is computed with. The pieces are too short for the
// hardware to see a stream in them.
HEARTH_INLINE void prefetch_bytes(const void* begin, int64_t n) {
  for (int64_t i = 0; i < n; i += 64) __builtin_prefetch(static_cast<const char*>(begin) + i, 0, 2);
}

// Columns [col, col + cols) of op(b) where b is [N, K]: rows of b, widened one slice each, then transposed.
void pack_b_transposed(const GemmArgs& g, int64_t col, int64_t cols, int64_t k0, int64_t depth, float* out,
                       float* rows) {
  const auto* bytes = static_cast<const char*>(g.b);
  const int64_t row_bytes = dtype_bytes(g.b_dtype, g.K), piece_bytes = dtype_bytes(g.b_dtype, depth);
  const char* next = bytes + dtype_bytes(g.b_dtype, (col + kTileCols) * g.K + k0);
  for (int64_t n = 0; n < min_of(kTileCols, g.N - col - kTileCols); ++n)
    prefetch_bytes(next + n * row_bytes, piece_bytes);
  if (g.b_dtype == Dtype::f32)
    return pack_transposed(static_cast<const float*>(g.b) + col * g.K + k0, g.K, cols, out, kTileCols, depth);
  for (int64_t n = 0; n < cols; ++n) widen(g.b_dtype, g.b, (col + n) * g.K + k0, rows + n * kDepth, depth);
  pack_transposed(rows, kDepth, cols, out, kTileCols, depth);
}

// Columns [col, col + cols) of b [K, N]. Quantised dtypes are widened in groups of 32 around the columns.
void pack_b_plain(const GemmArgs& g, int64_t col, int64_t cols, int64_t k0, int64_t depth, float* out) {
  float block_row[kTileCols + kQuantBlock];
  const int64_t unit = dtype_info(g.b_dtype).is_quantised ? kQuantBlock : 1;
  const int64_t begin = col / unit * unit, end = div_up(col + cols, unit) * unit;
  const auto* floats = static_cast<const float*>(g.b);
  for (int64_t k = k0; k < k0 + depth; ++k, out += kTileCols) {
    if (g.b_dtype == Dtype::f32 && cols == kTileCols) {
      const float* from = floats + k * g.N + col;
      for (int v = 0; v < kTileVecs; ++v) {
        store(out + v * kLanes, load(from + v * kLanes));
        __builtin_prefetch(from + kTileCols + v * kLanes, 0, 2);
      }
      continue;
    }
    widen(g.b_dtype, g.b, k * g.N + begin, block_row, end - begin);
    memcpy(out, block_row + (col - begin), static_cast<size_t>(cols) * 4);
    for (int64_t n = cols; n < kTileCols; ++n) out[n] = 0;
  }
}

// ---- one thread's rectangle ----

struct Range {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};

void multiply_rectangle(const GemmArgs& g, Range rows, Range cols) {
  const int64_t block_rows = div_up(min_of(kRowBlock, rows.size()), kTileRows) * kTileRows;
  float* packed_a = thread_scratch(static_cast<size_t>(block_rows * kDepth + 2 * kTileCols * kDepth));
  float* packed_b = packed_a + block_rows * kDepth;  // packing A may write kLanes floats into it
  float* widened = packed_b + kTileCols * kDepth;

  for (int64_t row = rows.begin; row < rows.end; row += kRowBlock) {
    const int64_t n_rows = min_of(kRowBlock, rows.end - row);
    for (int64_t k0 = 0; k0 < g.K; k0 += kDepth) {
      const int64_t depth = min_of(kDepth, g.K - k0);
      pack_a(g, row, n_rows, k0, depth, packed_a);
      for (int64_t col = cols.begin; col < cols.end; col += kTileCols) {
        const int64_t n_cols = min_of(kTileCols, cols.end - col);
        if (g.trans_b)
          pack_b_transposed(g, col, n_cols, k0, depth, packed_b, widened);
        else
          pack_b_plain(g, col, n_cols, k0, depth, packed_b);
        for (int64_t r = 0; r < n_rows; r += kTileRows) {
          const int64_t tile_rows = min_of(kTileRows, n_rows - r);
          float* c = g.c + (row + r) * g.N + col;
          const float* a = packed_a + r * depth;
          if (tile_rows == kTileRows) {
            micro_tile<kTileRows>(depth, a, packed_b, c, g.N, static_cast<int>(n_cols), k0 > 0 || g.add);
            continue;
          }
          // A partial panel: an even number of rows at a time, then perhaps one, into a spare row.
          const int64_t even = tile_rows / 2 * 2;
          if (even > 0) micro_tile_for(even)(depth, a, packed_b, c, g.N, static_cast<int>(n_cols), k0 > 0 || g.add);
          if (even < tile_rows)
            micro_tile<1>(depth, a + even, packed_b, c + even * g.N, g.N, static_cast<int>(n_cols), k0 > 0 || g.add);
        }
      }
    }
  }
}

// ---- the grid ----

struct Grid {
  int n_rows, n_cols;
};

// Minimises the time of the slowest thread, counted in multiply-adds of one vector; packing an element costs about as
// much as kPackCost of them.
Grid choose_grid(const GemmArgs& g, int n_threads) {
  constexpr double kPackCost = 0.5;
  Grid best{1, n_threads};
  double best_cost = 0;
  for (int n_rows = 1; n_rows <= n_threads; ++n_rows) {
    if (n_threads % n_rows != 0) continue;
    const int n_cols = n_threads / n_rows;
    const auto rows = static_cast<double>(div_up(div_up(g.M, kTileRows), n_rows) * kTileRows);
    const auto cols = static_cast<double>(div_up(div_up(g.N, kColGrain), n_cols) * kColGrain);
    const double cost = rows * cols / kLanes + kPackCost * (rows + cols);
    if (best_cost == 0 || cost < best_cost) best = {n_rows, n_cols}, best_cost = cost;
  }
  return best;
}

Range share_of(int64_t n, int64_t grain, int index, int count) {
  const auto [begin, end] = Worker{index, count, nullptr}.share(n, grain);
  return {begin, end};
}

}  // namespace

void gemm(const GemmArgs& g, const Worker& me) {
  const Grid grid = choose_grid(g, me.size);
  const Range rows = share_of(g.M, kTileRows, me.rank / grid.n_cols, grid.n_rows);
  const Range cols = share_of(g.N, kColGrain, me.rank % grid.n_cols, grid.n_cols);
  if (rows.size() == 0 || cols.size() == 0) return;
  if (g.K > 0 || g.add) return multiply_rectangle(g, rows, cols);
  for (int64_t r = rows.begin; r < rows.end; ++r)
    for (int64_t c = cols.begin; c < cols.end; ++c) g.c[r * g.N + c] = 0;
}

}  // namespace hearth::HEARTH_ISA
