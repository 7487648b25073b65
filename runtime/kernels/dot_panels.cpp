// A lane is a row of w. Of a group of 32 elements, four of each row of w (a quad) are multiplied as bytes with the same
// four of one row of x, which every lane gets: eight quads to a group, whose sums stay integers until the group ends.
// So no sum runs across lanes, an unpacked quad of w is used for all rows of x in a tile, and a panel is read in the
// order it lies in:
//
//   for each block of rows of x            (laid out once, stays in L2)
//     for each panel of w                  (read from memory, then from L1)
//       for each tile of rows of x: sums in registers over all of K
//
// What levels are moved by is multiplied with sums over x, as in dot_q8.cpp. Every (row of x, row of w) pair has one
// sum, in the order of k: its bits depend on nothing beside it.
#include "runtime/kernels/dot_panels.h"

#include "base/sanitizers.h"
#include "runtime/kernels/panel_levels.h"
#include "runtime/kernels/thread_scratch.h"

namespace hearth::HEARTH_ISA {

#if HEARTH_ISA_LEVEL > 0
namespace {

#define HEARTH_PANELS(X) X(q4_0) X(q4_k) X(q5_k) X(q6_k) X(mxfp4)

constexpr int kQuads = kQuantBlock / 4;  // of a group
// A sum of integers and one of floats for each row of a tile, beside quads of w, in 32 registers; of 16 (AVX2) the sums
// of floats wait in L1, which costs less than unpacking w for fewer rows.
// Instrumented, each of them takes a compiler many seconds.
constexpr int kTileRows = HEARTH_HAS_ASAN ? 2 : HEARTH_ISA_LEVEL == 2 ? 12 : 8;
// Levels of x that are laid out at once: half of a small L2.
constexpr int64_t kBlockBytes = 1 << 17;

// The next smaller tile there is code for: 12, 8, 4, 2, 1.
constexpr int smaller_tile(int R) {
  return R > 8 ? 8 : R / 2;
}
constexpr int tile_rows(int64_t left) {
  int R = kTileRows;
  while (R > left) R = smaller_tile(R);
  return R;
}

// ---- x, laid out for the loops ----

template <Dtype dtype>
constexpr int kSums = Codec<dtype>::kSub < kQuantBlock ? 2 : 1;
// What sums over x are multiplied by.
template <Dtype dtype>
constexpr float kSumFactor =
    kLevelBias<typename Codec<dtype>::Block> != 0 ? -kLevelBias<typename Codec<dtype>::Block> : 1;

// One tile of R rows, group by group: `levels` 8 quads of R rows, `scale` R floats, `sums` kSums times R of factor · d
// Σ q. The next tile follows.
struct Tile {
  int8_t* levels;
  float *scale, *sums;
};
Tile from_row(const Tile& first, int64_t row, int64_t n_groups, int sums_per_group) {
  return {first.levels + row * n_groups * kQuantBlock, first.scale + row * n_groups,
          first.sums + row * n_groups * sums_per_group};
}

// Rows of x [R, n_groups]; sums_per_group: 1 or 2.
void lay_out_tile(const BlockQ8_0* x, int64_t n_groups, int R, int sums_per_group, float factor, const Tile& tile) {
  for (int64_t m = 0; m < R; ++m)
    for (int64_t g = 0; g < n_groups; ++g) {
      const BlockQ8_0& block = x[m * n_groups + g];
      for (int64_t c = 0; c < kQuads; ++c) memcpy(tile.levels + ((g * kQuads + c) * R + m) * 4, block.q + c * 4, 4);
      const float d = scale_of(block.scale);
      const auto first = static_cast<float>(sum_of_16(block.q)), second = static_cast<float>(sum_of_16(block.q + 16));
      float* sums = tile.sums + g * sums_per_group * R + m;
      tile.scale[g * R + m] = d;
      sums[0] = factor * d * (sums_per_group == 2 ? first : first + second);
      if (sums_per_group == 2) sums[R] = factor * d * second;
    }
}

// Room for `rows` rows.
Tile scratch_for(int64_t rows, int64_t n_groups, int sums_per_group) {
  const int64_t n_scales = (rows * n_groups + 15) / 16 * 16;
  float* levels =
      thread_scratch(static_cast<size_t>(rows * n_groups * kQuantBlock / 4 + n_scales * (1 + sums_per_group)));
  float* scale = levels + rows * n_groups * kQuantBlock / 4;
  return {reinterpret_cast<int8_t*>(levels), scale, scale + n_scales};
}

// ---- products of bytes ----

#if HEARTH_ISA_LEVEL == 2
using Register = __m512i;
HEARTH_INLINE Register every_lane(const int8_t* quad) {
  int32_t four;
  memcpy(&four, quad, 4);
  return _mm512_set1_epi32(four);
}
HEARTH_INLINE Register pair_sums(Quads u, const int8_t* q) {
  return _mm512_maddubs_epi16(reinterpret_cast<Register>(u), every_lane(q));
}
HEARTH_INLINE IntVec sums_of_pairs(Quads pairs) {
  return reinterpret_cast<IntVec>(_mm512_madd_epi16(reinterpret_cast<Register>(pairs), _mm512_set1_epi16(1)));
}
HEARTH_INLINE void add_products(IntVec& sum, Quads u, const int8_t* q) {
  asm("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(u), "m"(*reinterpret_cast<const int32_t*>(q)));
}
HEARTH_INLINE Vec fused(Vec a, Vec b, Vec c) {
  return _mm512_fmadd_ps(a, b, c);
}
#else
using Register = __m256i;
HEARTH_INLINE Register every_lane(const int8_t* quad) {
  int32_t four;
  memcpy(&four, quad, 4);
  return _mm256_set1_epi32(four);
}
HEARTH_INLINE Register pair_sums(Quads u, const int8_t* q) {
  return _mm256_maddubs_epi16(reinterpret_cast<Register>(u), every_lane(q));
}
HEARTH_INLINE IntVec sums_of_pairs(Quads pairs) {
  return reinterpret_cast<IntVec>(_mm256_madd_epi16(reinterpret_cast<Register>(pairs), _mm256_set1_epi16(1)));
}
HEARTH_INLINE void add_products(IntVec& sum, Quads u, const int8_t* q) {
  asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(u), "x"(every_lane(q)));
}
HEARTH_INLINE Vec fused(Vec a, Vec b, Vec c) {
  return _mm256_fmadd_ps(a, b, c);
}
#endif

// Quads whose sums of pairs fit into 16 bits together: without the instruction for bytes, those are added first.
constexpr int quads_in_16_bits(int most_level) {
  return most_level * 2 * 128 * 8 < 1 << 15 ? 8 : most_level * 2 * 128 * 4 < 1 << 15 ? 4 : 2;
}

// Adds quads [kBegin, kEnd) of a group to `sum`. x: the group's quads, R rows each.
template <Dtype dtype, bool kVnni, int R, int kBegin, int kEnd>
HEARTH_INLINE void add_quads(const char* p, int g, int in_step, const int8_t* x, IntVec (&sum)[R]) {
  using Column = PanelColumn<dtype>;
  if constexpr (kVnni) {
#pragma GCC unroll 8
    for (int c = kBegin; c < kEnd; ++c) {
      const Quads u = Column::levels(p, g, in_step, c);
#pragma GCC unroll 12
      for (int m = 0; m < R; ++m) add_products(sum[m], u, x + (c * R + m) * 4);
    }
  } else {
    constexpr int kRun = quads_in_16_bits(Column::kMostLevel);
#pragma GCC unroll 4
    for (int begin = kBegin; begin < kEnd; begin += kRun) {
      Quads pairs[R] = {};
#pragma GCC unroll 8
      for (int c = begin; c < (begin + kRun < kEnd ? begin + kRun : kEnd); ++c) {
        const Quads u = Column::levels(p, g, in_step, c);
#pragma GCC unroll 12
        for (int m = 0; m < R; ++m) pairs[m] += reinterpret_cast<Quads>(pair_sums(u, x + (c * R + m) * 4));
      }
#pragma GCC unroll 12
      for (int m = 0; m < R; ++m) sum[m] += sums_of_pairs(pairs[m]);
    }
  }
}

// ---- a tile ----

// Half of a group, or all of it: elements that share a scale. x: of this group.
template <Dtype dtype, bool kVnni, int R, int kHalf>
HEARTH_INLINE void add_part(const char* p, const typename PanelColumn<dtype>::Begun& begun, int g, int in_step,
                            const Tile& x, Vec (&y)[R]) {
  using Column = PanelColumn<dtype>;
  constexpr int kN = kQuads / kSums<dtype>;
  IntVec sum[R] = {};
  add_quads<dtype, kVnni, R, kHalf * kN, (kHalf + 1) * kN>(p, g, in_step, x.levels, sum);
  const Vec scale = Column::scale(p, begun, g, kHalf);
  const float* sums = x.sums + kHalf * R;
#pragma GCC unroll 12
  for (int m = 0; m < R; ++m) {
    const Vec part = as_floats(sum[m]), d = splat(x.scale[m]);
    if constexpr (kLevelBias<typename Codec<dtype>::Block> != 0) {  // sums are Σ q d times -bias
      y[m] = fused(fused(part, d, splat(sums[m])), scale, y[m]);
    } else {
      y[m] = fused(part * d, scale, y[m]);
    }
  }
  if constexpr (Codec<dtype>::kHasOffset) {
    const Vec offset = Column::offset(p, begun, g);
#pragma GCC unroll 12
    for (int m = 0; m < R; ++m) y[m] = fused(offset, splat(sums[m]), y[m]);
  }
}

template <Dtype dtype, int R>
HEARTH_INLINE Tile group_of(const Tile& x, int64_t g) {
  return {x.levels + g * R * kQuantBlock, x.scale + g * R, x.sums + g * R * kSums<dtype>};
}

// The hardware reads ahead within a page only.
HEARTH_INLINE void prefetch(const char* p, int64_t bytes) {
  constexpr int64_t kAhead = 4096;
  for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(p + kAhead + i);
}

// R rows of x with one panel: y [R, n_columns], rows N apart.
template <Dtype dtype, bool kVnni, int R>
void multiply_tile(const char* panel, const Tile& x, int64_t n_blocks, float* y, int64_t N, int n_columns) {
  using Column = PanelColumn<dtype>;
  constexpr int kGroups = Codec<dtype>::kElements / kQuantBlock, kStep = Column::kStep;
  constexpr int64_t kBytes = int64_t{kLanes} * sizeof(typename Codec<dtype>::Block);
  Vec sum[R] = {};
  for (int64_t b = 0; b < n_blocks; ++b) {
    const char* p = panel + b * kBytes;
    if constexpr (R <= 2) prefetch(p, kBytes);
    const typename Column::Begun begun = Column::begin(p);
    for (int g = 0; g < kGroups; g += kStep) {
#pragma GCC unroll 4
      for (int i = 0; i < kStep; ++i) {
        const Tile of_group = group_of<dtype, R>(x, b * kGroups + g + i);
        add_part<dtype, kVnni, R, 0>(p, begun, g + i, i, of_group, sum);
        if constexpr (kSums<dtype> == 2) add_part<dtype, kVnni, R, 1>(p, begun, g + i, i, of_group, sum);
      }
    }
  }
#pragma GCC unroll 12
  for (int m = 0; m < R; ++m)
    if (n_columns == kLanes)
      store(y + m * N, sum[m]);
    else
      store(y + m * N, sum[m], Part{n_columns});
}

// A tile of n_rows, which is R or a smaller one.
template <Dtype dtype, bool kVnni, int R>
void multiply_rows(int n_rows, const char* panel, const Tile& x, int64_t n_blocks, float* y, int64_t N, int n_columns) {
  if (n_rows == R) return multiply_tile<dtype, kVnni, R>(panel, x, n_blocks, y, N, n_columns);
  if constexpr (R > 1) multiply_rows<dtype, kVnni, smaller_tile(R)>(n_rows, panel, x, n_blocks, y, N, n_columns);
}

// ---- blocks of rows ----

struct Job {
  int64_t M, N, K;
  const BlockQ8_0* x;
  const char* w;
  float* y;
  int64_t n_groups() const { return K / kQuantBlock; }
  int64_t n_panels() const { return (N + kLanes - 1) / kLanes; }
};

struct Range {
  int64_t begin, end;
};

template <Dtype dtype>
void lay_out(const Job& job, Range rows, const Tile& to) {
  for (int64_t m = rows.begin; m < rows.end; m += tile_rows(rows.end - m))
    lay_out_tile(job.x + m * job.n_groups(), job.n_groups(), tile_rows(rows.end - m), kSums<dtype>, kSumFactor<dtype>,
                 from_row(to, m - rows.begin, job.n_groups(), kSums<dtype>));
}

template <Dtype dtype, bool kVnni>
void multiply_panel(const Job& job, Range rows, const Tile& laid_out, int64_t panel) {
  const int64_t n_blocks = job.K / Codec<dtype>::kElements;
  const char* w = job.w + panel * kLanes * n_blocks * static_cast<int64_t>(sizeof(typename Codec<dtype>::Block));
  const int64_t column = panel * kLanes, left = job.N - column;
  const int n_columns = left < kLanes ? static_cast<int>(left) : kLanes;
  for (int64_t m = rows.begin; m < rows.end; m += tile_rows(rows.end - m)) {
    const Tile x = from_row(laid_out, m - rows.begin, job.n_groups(), kSums<dtype>);
    float* y = job.y + m * job.N + column;
    multiply_rows<dtype, kVnni, kTileRows>(tile_rows(rows.end - m), w, x, n_blocks, y, job.N, n_columns);
  }
}

// The team shares (block of rows, panel) pairs, in that order, so that few threads lay out the same rows.
template <Dtype dtype, bool kVnni>
void multiply(const Job& job, const Worker& me) {
  const int64_t fitting = kBlockBytes / (job.K > 0 ? job.K : 1) / kTileRows * kTileRows;
  const int64_t rows_at_once = fitting < kTileRows ? kTileRows : fitting;
  const int64_t n_blocks = (job.M + rows_at_once - 1) / rows_at_once, n_panels = job.n_panels();
  const auto [begin, end] = me.share(n_blocks * n_panels);
  for (int64_t unit = begin; unit < end;) {
    const int64_t block = unit / n_panels, first = block * rows_at_once;
    const Range rows{first, first + rows_at_once < job.M ? first + rows_at_once : job.M};
    const Tile laid_out = scratch_for(rows.end - rows.begin, job.n_groups(), kSums<dtype>);
    lay_out<dtype>(job, rows, laid_out);
    for (; unit < end && unit / n_panels == block; ++unit)
      multiply_panel<dtype, kVnni>(job, rows, laid_out, unit % n_panels);
  }
}

}  // namespace

Layout panels_for(Dtype w_dtype) {
  constexpr Layout kPanels = HEARTH_ISA_LEVEL == 2 ? Layout::panels_of_16 : Layout::panels_of_8;
  switch (w_dtype) {
#define HEARTH_CASE(T) case Dtype::T:
    HEARTH_PANELS(HEARTH_CASE)
#undef HEARTH_CASE
    return kPanels;
    default:
      return Layout::row_major;
  }
}

void dot_panels(int64_t M, int64_t N, int64_t K, const void* x, Dtype w_dtype, const void* w, float* y,
                bool byte_products, const Worker& me) {
  const Job job{M, N, K, static_cast<const BlockQ8_0*>(x), static_cast<const char*>(w), y};
  switch (w_dtype) {
#define HEARTH_DOT(T) \
  case Dtype::T:      \
    return byte_products ? multiply<Dtype::T, true>(job, me) : multiply<Dtype::T, false>(job, me);
    HEARTH_PANELS(HEARTH_DOT)
#undef HEARTH_DOT
    default:
      return;  // panels_for() is row-major
  }
}
#else
Layout panels_for(Dtype) {
  return Layout::row_major;
}
#endif

}  // namespace hearth::HEARTH_ISA
