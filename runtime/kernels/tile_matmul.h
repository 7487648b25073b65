// Small products whose operands are in L1 or L2 already, without packing: what attention is made of.
#pragma once

#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {

// An operand that is read element by element: element (i, k) is at data[i * row + k * col].
struct TileOperand {
  const float* data;
  int64_t row, col;
};

namespace tile {

// 6 x 4 accumulators of 32 registers (AVX-512), 6 x 2 (AVX2) or 4 x 2 (SSE) of 16.
constexpr int kVecs = HEARTH_ISA_LEVEL == 2 ? 4 : 2;
constexpr int kRows = HEARTH_ISA_LEVEL == 0 ? 4 : 6;

template <int R, int V, class Lanes>
HEARTH_INLINE void block(int64_t depth, TileOperand a, const float* b, int64_t ldb, float* c, int64_t ldc, bool add,
                         Lanes lanes) {
  Vec sum[R][V] = {};
  const float* ak = a.data;
  for (int64_t k = 0; k < depth; ++k, ak += a.col, b += ldb) {
    Vec bv[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) bv[v] = load(b + v * kLanes, lanes);
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) {
      const Vec ar = splat(ak[r * a.row]);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) sum[r][v] += ar * bv[v];
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      float* to = c + r * ldc + v * kLanes;
      store(to, add ? load(to, lanes) + sum[r][v] : sum[r][v], lanes);
    }
}

template <int V, class Lanes>
void columns(int64_t m, int64_t depth, TileOperand a, const float* b, int64_t ldb, float* c, int64_t ldc, bool add,
             Lanes lanes) {
  int64_t i = 0;
  auto at = [&](int64_t row) { return TileOperand{a.data + row * a.row, a.row, a.col}; };
  for (; i + kRows <= m; i += kRows) block<kRows, V>(depth, at(i), b, ldb, c + i * ldc, ldc, add, lanes);
  for (; i + 2 <= m; i += 2) block<2, V>(depth, at(i), b, ldb, c + i * ldc, ldc, add, lanes);
  if (i < m) block<1, V>(depth, at(i), b, ldb, c + i * ldc, ldc, add, lanes);
}

}  // namespace tile

// c [m, n] = a [m, depth] · b [depth, n], or += with `add`. Rows of b and c are contiguous. A row of c does not depend
// on the others, and its sums run over depth in order.
HEARTH_INLINE void tile_matmul(int64_t m, int64_t n, int64_t depth, TileOperand a, const float* b, int64_t ldb,
                               float* c, int64_t ldc, bool add) {
  int64_t j = 0;
  for (; j + tile::kVecs * kLanes <= n; j += tile::kVecs * kLanes)
    tile::columns<tile::kVecs>(m, depth, a, b + j, ldb, c + j, ldc, add, Full{});
  for (; j + kLanes <= n; j += kLanes) tile::columns<1>(m, depth, a, b + j, ldb, c + j, ldc, add, Full{});
  if (j < n) tile::columns<1>(m, depth, a, b + j, ldb, c + j, ldc, add, Part{static_cast<int>(n - j)});
}

}  // namespace hearth::HEARTH_ISA
