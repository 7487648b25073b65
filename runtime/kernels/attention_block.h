// One block of attention: some query rows against at most kKeys keys. Shared by attention (training) and
// attention_cached (serving). After "FlashAttention" (Dao et al., 2022): scores exist for one block at a time, and a
// running maximum and sum per row let blocks be added one after the other.
#pragma once

#include <cmath>

#include "runtime/kernels/tile_matmul.h"
#include "runtime/kernels/transpose.h"

namespace hearth::HEARTH_ISA {

constexpr int64_t kKeys = 64;

// Which keys of a block a row sees: first..last, both included, counted from the block's first key.
struct KeyRange {
  int64_t first, last;
};

// keys: n rows of D floats, ld apart → transposed [D][kKeys], columns past n zero. Writes kLanes floats past the end.
HEARTH_INLINE void pack_keys(const float* keys, int64_t ld, int64_t n, int64_t D, float* transposed) {
  for (int64_t s = 0; s < kKeys; s += kLanes) {
    const int64_t left = n - s;
    transpose_rows(keys + s * ld, ld, left < 0 ? 0 : left < kLanes ? left : kLanes, transposed + s, kKeys, D);
  }
}

// The lanes j..j + kLanes of a row that are in its range.
HEARTH_INLINE IntVec visible(KeyRange range, int64_t j) {
  IntVec lane;
  for (int i = 0; i < kLanes; ++i) lane[i] = i;
  const IntVec key = lane + static_cast<int32_t>(j);
  return (key >= static_cast<int32_t>(range.first)) & (key <= static_cast<int32_t>(range.last));
}

// How a dot product becomes a score.
struct ScoreRule {
  float scale;
  float softcap;  // 0: none
};

// softcap · tanh(x · scale / softcap), with tanh(y) = 1 - 2 / (e^2y + 1).
HEARTH_INLINE Vec capped(Vec x, ScoreRule rule) {
  const Vec e = exp(x * (2 * rule.scale / rule.softcap));
  return rule.softcap - 2 * rule.softcap / (e + 1.0f);
}

// The state of the query rows of one head while blocks are added.
struct SoftmaxRows {
  float* out;  // [n][Dv], ld apart: Σ exp(score - largest) v
  int64_t ld;
  float* largest;  // [n], starts at -infinity
  float* sum;      // [n], starts at 0
};

HEARTH_INLINE void start_rows(SoftmaxRows rows, int64_t n, int64_t Dv) {
  for (int64_t i = 0; i < n; ++i) {
    rows.largest[i] = -INFINITY;
    rows.sum[i] = 0;
    memset(rows.out + i * rows.ld, 0, static_cast<size_t>(Dv) * 4);
  }
}

// A row that has seen one key already: its score is `sink`, its value zero.
HEARTH_INLINE void start_with_sink(SoftmaxRows rows, int64_t i, float sink) {
  rows.largest[i] = sink;
  rows.sum[i] = 1;
}

// scores [kKeys] of one row → weights exp(score - largest), zero where not visible. Returns by how much what the row
// holds so far has to shrink.
HEARTH_INLINE float weigh_row(float* scores, KeyRange range, ScoreRule rule, float& largest, float& sum) {
  float scale = rule.scale;
  if (rule.softcap > 0) {
    for (int i = 0; i < kKeys; i += kLanes) store(scores + i, capped(load(scores + i), rule));
    scale = 1;
  }
  Vec s[kKeys / kLanes], top = splat(-INFINITY);
#pragma GCC unroll 16
  for (int i = 0; i < kKeys / kLanes; ++i) {
    s[i] = select(visible(range, i * kLanes), load(scores + i * kLanes) * scale, splat(-INFINITY));
    top = max(top, s[i]);
  }
  const float block_largest = max_lanes(top);
  const float new_largest = largest > block_largest ? largest : block_largest;
  const float shift = new_largest == -INFINITY ? 0 : new_largest;  // nothing visible yet
  Vec total{};
#pragma GCC unroll 16
  for (int i = 0; i < kKeys / kLanes; ++i) {
    const Vec p = exp(s[i] - shift);
    total += p;
    store(scores + i * kLanes, p);
  }
  const float shrink = largest == new_largest ? 1.0f : std::exp(largest - new_largest);
  largest = new_largest;
  sum = sum * shrink + sum_lanes(total);
  return shrink;
}

// Values: rows of Dv floats, ld apart.
struct ValueRows {
  const float* data;
  int64_t ld, Dv;
};

// Adds one block of n_keys keys of D floats to n query rows. scores: [n][kKeys] scratch.
template <class RangeOfRow>
HEARTH_INLINE void attend_block(int64_t n, TileOperand queries, const float* keys_transposed, int64_t n_keys, int64_t D,
                                ValueRows values, ScoreRule rule, float* scores, SoftmaxRows rows,
                                RangeOfRow range_of_row) {
  tile_matmul(n, kKeys, D, queries, keys_transposed, kKeys, scores, kKeys, false);
  for (int64_t i = 0; i < n; ++i) {
    const float shrink = weigh_row(scores + i * kKeys, range_of_row(i), rule, rows.largest[i], rows.sum[i]);
    float* out = rows.out + i * rows.ld;
    if (shrink != 1.0f)
      over(0, values.Dv, [&](int64_t d, auto lanes) { store(out + d, load(out + d, lanes) * shrink, lanes); });
  }
  tile_matmul(n, values.Dv, n_keys, {scores, kKeys, 1}, values.data, values.ld, rows.out, rows.ld, true);
}

// The end: sums become means.
HEARTH_INLINE void finish_rows(SoftmaxRows rows, int64_t n, int64_t Dv) {
  for (int64_t i = 0; i < n; ++i) {
    float* out = rows.out + i * rows.ld;
    const float inverse = 1.0f / rows.sum[i];
    over(0, Dv, [&](int64_t d, auto lanes) { store(out + d, load(out + d, lanes) * inverse, lanes); });
  }
}

}  // namespace hearth::HEARTH_ISA
