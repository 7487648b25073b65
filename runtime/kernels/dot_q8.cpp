// Levels of w, 32 at a time (a group), are multiplied with those of x as bytes and summed in four-byte lanes; only the
// sums become floats. What a format's levels are moved by (its bias, its offsets) is multiplied with sums over x, which
// are made once for all rows of w:
//
//   Σ (s (u - bias) + o) x  =  s (Σ u q - bias Σ q) d + o d Σ q      for a group of x with levels q and scale d
//
// w is read row by row, one stream that the hardware sees and reads ahead, which several short rows at once are not.
// Each (row of x, row of w) pair has two vectors of partial sums, filled in turn in the order of k, so that one
// addition need not wait for the last.
#include "runtime/kernels/dot_q8.h"

#include <cstddef>

#include "base/sanitizers.h"
#include "hwdetect/cpu_features.h"
#include "runtime/kernels/block_scales.h"
#include "runtime/kernels/byte_levels.h"
#include "runtime/kernels/load_group.h"
#include "runtime/kernels/thread_scratch.h"

namespace hearth::HEARTH_ISA {

#if HEARTH_ISA_LEVEL > 0
namespace {

using Sums = float __attribute__((vector_size(32)));

// ---- x, laid out for the loops ----

// How many sums over x a group has: one for each scale of w that meets it.
template <Dtype dtype>
constexpr int kSums = Codec<dtype>::kSub < kQuantBlock ? 2 : 1;
// What they are multiplied by. Blocks of one group spread them over eight lanes.
template <Dtype dtype>
constexpr float kSumFactor = (kLevelBias<typename Codec<dtype>::Block> != 0 ? -kLevelBias<typename Codec<dtype>::Block>
                                                                            : 1) /
                             (Codec<dtype>::kElements == kQuantBlock ? 8.0f : 1.0f);

// Rows of x: `levels` K bytes each, `scale` one float a group, `sums` kSums a group of factor · d Σ q.
struct QuantisedRows {
  const int8_t* levels;
  const float *scale, *sums;
};

// sums_per_group: 1 or 2.
QuantisedRows lay_out(const BlockQ8_0* x, int64_t n_groups, int sums_per_group, float factor) {
  const int64_t n_scales = (n_groups + 15) / 16 * 16;
  float* scale = thread_scratch(static_cast<size_t>(n_scales * (1 + sums_per_group) + n_groups * kQuantBlock / 4));
  float* sums = scale + n_scales;
  auto* levels = reinterpret_cast<int8_t*>(sums + n_scales * sums_per_group);
  for (int64_t g = 0; g < n_groups; ++g) {
    const float d = scale_of(x[g].scale);
    const auto first = static_cast<float>(sum_of_16(x[g].q)), second = static_cast<float>(sum_of_16(x[g].q + 16));
    scale[g] = d;
    sums[g * sums_per_group] = factor * d * (sums_per_group == 2 ? first : first + second);
    if (sums_per_group == 2) sums[g * 2 + 1] = factor * d * second;
    memcpy(levels + g * kQuantBlock, x[g].q, kQuantBlock);
  }
  return {levels, scale, sums};
}

// ---- products of bytes ----

// Σ over four bytes u·q into each lane, u unsigned; pairs stay below 2^15 for u < 128.
template <bool kVnni>
HEARTH_INLINE __m256i sums_of_4(Bytes u, Bytes q) {
  if constexpr (kVnni) {
    __m256i sum = _mm256_setzero_si256();
#if HEARTH_ISA_LEVEL == 2
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(u), "v"(q));
#else
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(u), "x"(q));
#endif
    return sum;
  } else {
    return _mm256_madd_epi16(_mm256_maddubs_epi16(u, q), _mm256_set1_epi16(1));
  }
}

// A format's levels against q. Signed ones have no bias: their magnitudes are multiplied, with the sign given to q.
template <bool kVnni, class Block>
HEARTH_INLINE Sums products(Bytes stored, Bytes q) {
  if constexpr (kHasSignedLevels<Block>)
    return _mm256_cvtepi32_ps(sums_of_4<kVnni>(_mm256_abs_epi8(stored), _mm256_sign_epi8(q, stored)));
  else
    return _mm256_cvtepi32_ps(sums_of_4<kVnni>(stored, q));
}

HEARTH_INLINE Sums fused(Sums a, Sums b, Sums c) {
  return _mm256_fmadd_ps(a, b, c);
}

// ---- blocks ----

struct Job {
  int64_t M, N, K;
  QuantisedRows x;
  const void* w;
  float* y;
};

// The halves that a block begins with, as floats: its scale, then its minimum if it has one.
template <class Block>
HEARTH_INLINE __m128 first_halves(const Block& block) {
  static_assert(sizeof(Block) >= 8);
  return _mm_cvtph_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(&block)));
}
template <Dtype dtype>
HEARTH_INLINE Sums scale_of_block(const typename Codec<dtype>::Block& block) {
  if constexpr (requires { block.scale; }) {
    static_assert(offsetof(typename Codec<dtype>::Block, scale) == 0);
    return _mm256_broadcastss_ps(first_halves(block));
  } else {
    return _mm256_set1_ps(Codec<dtype>::scale(block, 0, MachineHalf{}));
  }
}
template <class Block>
HEARTH_INLINE Sums minimum_of_block(const Block& block) {
  static_assert(offsetof(Block, minimum) == 2);
  return _mm256_broadcastss_ps(_mm_movehdup_ps(first_halves(block)));
}

// Of each row of x in a batch, two vectors of partial sums.
template <int kBatch>
struct Partial {
  Sums sum[2][kBatch] = {};
};

// A block of one group, which is group g of each row of x.
template <Dtype dtype, bool kVnni, int kBatch>
HEARTH_INLINE void add_single(const typename Codec<dtype>::Block& block, const Job& job, int64_t g,
                              Sums (&sum)[kBatch]) {
  using Block = typename Codec<dtype>::Block;
  const int64_t n_groups = job.K / kQuantBlock;
  const Bytes stored = stored_levels(block, 0);
  const Sums scale = scale_of_block<dtype>(block);
#pragma GCC unroll 8
  for (int m = 0; m < kBatch; ++m) {
    const Sums part = products<kVnni, Block>(stored, load_bytes(job.x.levels + m * job.K + g * kQuantBlock));
    const Sums d = _mm256_broadcast_ss(job.x.scale + m * n_groups + g);
    if constexpr (kLevelBias<Block> != 0) {  // sums are Σ q d times -bias / 8
      sum[m] = fused(fused(part, d, _mm256_broadcast_ss(job.x.sums + m * n_groups + g)), scale, sum[m]);
    } else {
      sum[m] = fused(part, scale * d, sum[m]);
      if constexpr (Codec<dtype>::kHasOffset)
        sum[m] = fused(minimum_of_block(block), _mm256_broadcast_ss(job.x.sums + m * n_groups + g), sum[m]);
    }
  }
}

// The scale of each lane of group g, times that of x: one for all, or one for each half.
template <int kSub>
HEARTH_INLINE Sums scale_of_lanes(const float* scaled, int g) {
  if constexpr (kSub >= kQuantBlock) return _mm256_broadcast_ss(scaled + g);
  const __m256 both = _mm256_castpd_ps(_mm256_broadcast_sd(reinterpret_cast<const double*>(scaled + 2 * g)));
  return _mm256_permutevar_ps(both, _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1));
}

// d of 4 groups, each twice.
HEARTH_INLINE Sums each_twice(const float* d) {
  return _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(d)), _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3));
}

// Scales and offsets of a block, eight to a vector.
template <Dtype dtype>
struct ScaleVectors {
  static constexpr int kN = BlockScales<dtype>::kN < 8 ? 1 : BlockScales<dtype>::kN / 8;
  Sums scale[kN], offset[kN];
};
template <Dtype dtype>
HEARTH_INLINE ScaleVectors<dtype> scale_vectors(const typename Codec<dtype>::Block& block) {
  ScaleVectors<dtype> out;
  if constexpr (dtype == Dtype::q4_k || dtype == Dtype::q5_k) {
    const __m128i both = scales_and_minima_of_8(block.scales);
    out.scale[0] = products_8(both, scale_of(block.d));
    out.offset[0] = products_8(_mm_srli_si128(both, 8), -scale_of(block.dmin));
  } else if constexpr (dtype == Dtype::q6_k) {
    const __m128i bytes = load_16(block.scales);
    out.scale[0] = products_8(bytes, scale_of(block.d));
    out.scale[1] = products_8(_mm_srli_si128(bytes, 8), scale_of(block.d));
  } else if constexpr (BlockScales<dtype>::kN >= 8) {
    BlockScales<dtype> scales;
    read_scales<dtype>(block, scales);
    for (int i = 0; i < out.kN; ++i) out.scale[i] = _mm256_loadu_ps(scales.scale + 8 * i);
    if constexpr (Codec<dtype>::kHasOffset)
      for (int i = 0; i < out.kN; ++i) out.offset[i] = _mm256_loadu_ps(scales.offset + 8 * i);
  } else {
    out.scale[0] = _mm256_set1_ps(Codec<dtype>::scale(block, 0, MachineHalf{}));  // one scale for all
  }
  return out;
}

// Scales of a block times those of x; biases and offsets of the whole block are added to `sum`.
template <Dtype dtype>
HEARTH_INLINE void scale_block(const ScaleVectors<dtype>& of_w, const float* d, const float* sums, float* scaled,
                               Sums& sum) {
  using C = Codec<dtype>;
  if constexpr (C::kSub > kQuantBlock) {
    for (int g = 0; g < C::kElements / kQuantBlock; ++g) scaled[g] = of_w.scale[0][0] * d[g];
    return;
  }
  constexpr bool halves = C::kSub < kQuantBlock;
#pragma GCC unroll 2
  for (int i = 0; i < of_w.kN; ++i) {
    const Sums of_x = halves ? each_twice(d + 4 * i) : static_cast<Sums>(_mm256_loadu_ps(d + 8 * i));
    _mm256_storeu_ps(scaled + 8 * i, of_w.scale[i] * of_x);
    if constexpr (C::kHasOffset)
      sum = fused(of_w.offset[i], _mm256_loadu_ps(sums + 8 * i), sum);
    else if constexpr (kLevelBias<typename C::Block> != 0)  // sums are Σ q d times -bias
      sum = fused(of_w.scale[i], _mm256_loadu_ps(sums + 8 * i), sum);
  }
}

// A block of several groups, the first of which is g.
template <Dtype dtype, bool kVnni, int kBatch>
HEARTH_INLINE void add_several(const typename Codec<dtype>::Block& block, const Job& job, int64_t g,
                               Partial<kBatch>& partial) {
  using C = Codec<dtype>;
  constexpr int kGroups = C::kElements / kQuantBlock;
  const int64_t n_groups = job.K / kQuantBlock;
  const ScaleVectors<dtype> of_w = scale_vectors<dtype>(block);
  alignas(32) float scaled[kBatch][kGroups * kSums<dtype>];
#pragma GCC unroll 8
  for (int m = 0; m < kBatch; ++m)
    scale_block<dtype>(of_w, job.x.scale + m * n_groups + g, job.x.sums + (m * n_groups + g) * kSums<dtype>, scaled[m],
                       partial.sum[0][m]);
  keep_in_memory(scaled);
#pragma GCC unroll 8
  for (int i = 0; i < kGroups; ++i) {
    const Bytes stored = stored_levels(block, i);
#pragma GCC unroll 8
    for (int m = 0; m < kBatch; ++m) {
      const Bytes q = load_bytes(job.x.levels + m * job.K + (g + i) * kQuantBlock);
      Sums& sum = partial.sum[i % 2][m];
      sum = fused(products<kVnni, typename C::Block>(stored, q), scale_of_lanes<C::kSub>(scaled[m], i), sum);
    }
  }
}

// ---- rows ----

HEARTH_INLINE float total(Sums v) {
  const __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  const __m128 quarter = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(quarter, _mm_shuffle_ps(quarter, quarter, 1)));
}

// The hardware reads ahead within a page only.
template <class Block>
HEARTH_INLINE void prefetch(const Block* block) {
  constexpr int64_t kAhead = 2048;
#pragma GCC unroll 4
  for (size_t i = 0; i < sizeof(Block); i += 64) __builtin_prefetch(reinterpret_cast<const char*>(block) + kAhead + i);
}

// One row of w against kBatch rows of x.
template <Dtype dtype, bool kVnni, int kBatch>
HEARTH_INLINE void dot_row(const Job& job, const typename Codec<dtype>::Block* w, float* y) {
  constexpr int kGroups = Codec<dtype>::kElements / kQuantBlock;
  const int64_t n_blocks = job.K / Codec<dtype>::kElements;
  Partial<kBatch> partial;
  if constexpr (kGroups == 1) {
    int64_t b = 0;
    for (; b + 2 <= n_blocks; b += 2) {
      prefetch(w + b);
      add_single<dtype, kVnni, kBatch>(w[b], job, b, partial.sum[0]);
      add_single<dtype, kVnni, kBatch>(w[b + 1], job, b + 1, partial.sum[1]);
    }
    if (b < n_blocks) add_single<dtype, kVnni, kBatch>(w[b], job, b, partial.sum[0]);
  } else {
    for (int64_t b = 0; b < n_blocks; ++b) {
      prefetch(w + b);
      add_several<dtype, kVnni, kBatch>(w[b], job, b * kGroups, partial);
    }
  }
  for (int m = 0; m < kBatch; ++m) y[m * job.N] = total(partial.sum[0][m] + partial.sum[1][m]);
}

Job from_row(Job job, int64_t m, int sums_per_group) {
  const int64_t n_groups = job.K / kQuantBlock;
  job.x.levels += m * job.K, job.x.scale += m * n_groups, job.x.sums += m * n_groups * sums_per_group;
  job.M -= m, job.y += m * job.N;
  return job;
}

// Instrumented, four rows at once take minutes to compile.
constexpr int kMostAtOnce = HEARTH_HAS_ASAN ? 2 : 4;

// Row n of w against all rows of x, a few at a time, while it is in L1.
template <Dtype dtype, bool kVnni>
HEARTH_INLINE void dot_all(const Job& job, int64_t n) {
  const auto* w = static_cast<const typename Codec<dtype>::Block*>(job.w) + n * (job.K / Codec<dtype>::kElements);
  int64_t m = 0;
  for (; m + kMostAtOnce <= job.M; m += kMostAtOnce)
    dot_row<dtype, kVnni, kMostAtOnce>(from_row(job, m, kSums<dtype>), w, job.y + m * job.N + n);
  for (; m + 2 <= job.M; m += 2) dot_row<dtype, kVnni, 2>(from_row(job, m, kSums<dtype>), w, job.y + m * job.N + n);
  if (m < job.M) dot_row<dtype, kVnni, 1>(from_row(job, m, kSums<dtype>), w, job.y + m * job.N + n);
}

template <Dtype dtype, bool kVnni>
void dot_range(const Job& job, int64_t begin, int64_t end) {
  for (int64_t n = begin; n < end; ++n) dot_all<dtype, kVnni>(job, n);
}

template <Dtype dtype>
void dot_blocks(Job job, const BlockQ8_0* x, bool byte_products, const Worker& me) {
  job.x = lay_out(x, job.M * job.K / kQuantBlock, kSums<dtype>, kSumFactor<dtype>);
  const auto [begin, end] = me.share(job.N, 8);
  byte_products ? dot_range<dtype, true>(job, begin, end) : dot_range<dtype, false>(job, begin, end);
}

}  // namespace

bool has_byte_products() {
  return HEARTH_ISA_LEVEL == 2 ? cpu_features().avx512vnni : cpu_features().avx_vnni;
}

void dot_q8(int64_t M, int64_t N, int64_t K, const void* x, Dtype w_dtype, const void* w, float* y, bool byte_products,
            const Worker& me) {
  const Job job{M, N, K, {}, w, y};
  const auto* blocks = static_cast<const BlockQ8_0*>(x);
  switch (w_dtype) {
#define HEARTH_DOT(T) \
  case Dtype::T:      \
    return dot_blocks<Dtype::T>(job, blocks, byte_products, me);
    HEARTH_INTEGER_LEVELS(HEARTH_DOT)
#undef HEARTH_DOT
    default:
      return;  // has_integer_levels() is false
  }
}
#endif

}  // namespace hearth::HEARTH_ISA
