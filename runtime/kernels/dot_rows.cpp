// Decode is bound by reading the weights and by unpacking them, so: one pass over them, 32 weights at a time (a group)
// widened into registers and used for all rows of x; several rows of w at once, so that their sums hide each other's
// latency. Each (row of x, row of w) pair has one vector of partial sums, filled in the order of k.
//
// A group is added in one of two ways, by dtype. Scales first: v = scale * level + offset, sum += v * x. Scales last:
// sum += scale * (level * x summed over the group), which takes 5 instructions instead of 8 where a group is four
// vectors, but 5 instead of 4 for each further row of x.
#include "runtime/kernels/dot_rows.h"

#include "runtime/kernels/load_group.h"
#include "runtime/kernels/simd.h"
#include "runtime/kernels/thread_scratch.h"

namespace hearth::HEARTH_ISA {
namespace {

// How each dtype is read: a row is blocks of kGroups groups of 32 elements; a group comes as floats after the block's
// scales were read.
template <class E>
struct ReadNumbers {
  using Element = E;
  struct Scales {};
  static constexpr int kGroups = 1, kBlockStride = kQuantBlock;
  static constexpr bool kScalesLast = false;
  HEARTH_INLINE int64_t stride(int64_t K) { return K; }
  HEARTH_INLINE void read_scales(const E*, Scales&) {}
};
struct ReadF32 : ReadNumbers<float> {
  HEARTH_INLINE void load_values(const float* block, const Scales&, int, Vec (&v)[kBlockVecs]) {
    for (int i = 0; i < kBlockVecs; ++i) v[i] = load(block + i * kLanes);
  }
  HEARTH_INLINE float load_one(const float* row, int64_t k) { return row[k]; }
};
struct ReadF16 : ReadNumbers<uint16_t> {
  HEARTH_INLINE void load_values(const uint16_t* block, const Scales&, int, Vec (&v)[kBlockVecs]) {
    for (int i = 0; i < kBlockVecs; ++i) v[i] = load_f16(block + i * kLanes);
  }
  HEARTH_INLINE float load_one(const uint16_t* row, int64_t k) { return scale_of(row[k]); }
};
struct ReadBf16 : ReadNumbers<uint16_t> {
  HEARTH_INLINE void load_values(const uint16_t* block, const Scales&, int, Vec (&v)[kBlockVecs]) {
    for (int i = 0; i < kBlockVecs; ++i) v[i] = load_bf16(block + i * kLanes);
  }
  HEARTH_INLINE float load_one(const uint16_t* row, int64_t k) { return bf16_to_float(row[k]); }
};
template <Dtype dtype>
struct ReadBlocks {
  using C = Codec<dtype>;
  using Element = typename C::Block;
  using Scales = BlockScales<dtype>;
  static constexpr int kGroups = C::kElements / kQuantBlock, kBlockStride = 1;
  // With AVX2 a group is four vectors, of which the scale need not be multiplied into each. Where it pays: one scale
  // for a group, and unpacking rather than memory is the bound.
  static constexpr bool kScalesLast = HEARTH_ISA_LEVEL == 1 && (dtype == Dtype::q4_0 || dtype == Dtype::mxfp4);
  HEARTH_INLINE int64_t stride(int64_t K) { return K / C::kElements; }
  HEARTH_INLINE void read_scales(const Element* block, Scales& scales) {
    if constexpr (kGroups > 1) HEARTH_ISA::read_scales<dtype>(*block, scales);
  }
  HEARTH_INLINE void load_values(const Element* block, const Scales& scales, int g, Vec (&v)[kBlockVecs]) {
    load_group<dtype, Rounding::fused>(*block, scales, g, v);
  }
  HEARTH_INLINE void load_levels(const Element* block, int g, Vec (&v)[kBlockVecs]) {
    HEARTH_ISA::load_levels<dtype>(*block, g, v);
  }
  HEARTH_INLINE Vec scale(const Element* block, const Scales& scales, int g) {
    return scale_of_vec<dtype>(*block, scales, g);
  }
  HEARTH_INLINE float load_one(const Element*, int64_t) { return 0; }  // rows are whole blocks
};

struct Job {
  int64_t N, K;
  const float* x;
  const void* w;
  float* y;
};

// Rows are too short, and too many at once, for the hardware to see the stream: ask for the next tile's.
template <class Element>
HEARTH_INLINE void prefetch_elements(const Element* begin, int count) {
  const auto* bytes = reinterpret_cast<const char*>(begin);
#pragma GCC unroll 8
  for (int i = 0; i < static_cast<int>(sizeof(Element)) * count; i += 64) __builtin_prefetch(bytes + i);
}

// Group g of a block of row r of w against kBatch rows of x, which stand at the group.
template <class Read, int kBatch, int kRows>
HEARTH_INLINE void add_group(const typename Read::Element* block, const typename Read::Scales& scales, int g,
                             const float* x, int64_t K, int r, Vec (&sum)[kBatch][kRows]) {
  Vec v[kBlockVecs], scale{};
  if constexpr (Read::kScalesLast)
    Read::load_levels(block, g, v), scale = Read::scale(block, scales, g);
  else
    Read::load_values(block, scales, g, v);
#pragma GCC unroll 8
  for (int m = 0; m < kBatch; ++m, x += K) {
    Vec part = Read::kScalesLast ? v[0] * load(x) : multiply_add(v[0], load(x), sum[m][r]);
#pragma GCC unroll 8
    for (int i = 1; i < kBlockVecs; ++i) part = multiply_add(v[i], load(x + i * kLanes), part);
    sum[m][r] = Read::kScalesLast ? multiply_add(part, scale, sum[m][r]) : part;
  }
}

// Lanes are summed, and what is left of rows that are not whole groups is added. w and y stand at the tile.
template <class Read, int kBatch, int kRows>
HEARTH_INLINE void store_sums(const Job& job, const typename Read::Element* w, int64_t row_stride, float* y,
                              const Vec (&sum)[kBatch][kRows]) {
  const int64_t whole = Read::kGroups == 1 ? job.K / kQuantBlock * kQuantBlock : job.K;
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
    for (int m = 0; m < kBatch; ++m) {
      float total = sum_lanes(sum[m][r]);
      for (int64_t k = whole; k < job.K; ++k) total += Read::load_one(w + r * row_stride, k) * job.x[m * job.K + k];
      y[m * job.N + r] = total;
    }
}

// kRows rows of w, the first at `w`, against kBatch rows of x.
template <class Read, int kBatch, int kRows>
HEARTH_INLINE void dot_tile(const Job& job, const typename Read::Element* w, int64_t row_stride, float* y) {
  Vec sum[kBatch][kRows] = {};
  const int64_t n_blocks = job.K / (Read::kGroups * kQuantBlock);
  for (int64_t b = 0; b < n_blocks; ++b) {
    const auto* blocks = w + b * Read::kBlockStride;
    typename Read::Scales scales[kRows];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      Read::read_scales(blocks + r * row_stride, scales[r]);
      prefetch_elements(blocks + (r + kRows) * row_stride, Read::kBlockStride);
    }
#pragma GCC unroll 8
    for (int g = 0; g < Read::kGroups; ++g) {
      const float* x = job.x + (b * Read::kGroups + g) * kQuantBlock;
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) add_group<Read>(blocks + r * row_stride, scales[r], g, x, job.K, r, sum);
    }
  }
  store_sums<Read>(job, w, row_stride, y, sum);
}

template <class Read, int kBatch>
void dot_range(const Job& job, int64_t begin, int64_t end) {
  // Accumulators: kBatch * kRows, at most 16 of 32 registers with AVX-512, 8 of 16 else.
  constexpr int kBudget = HEARTH_ISA_LEVEL == 2 ? 16 : 8;
  constexpr int kFit = kBudget / kBatch;
  constexpr int kRows = kFit >= 8 ? 8 : kFit >= 4 ? 4 : kFit >= 2 ? 2 : 1;
  const auto* w = static_cast<const typename Read::Element*>(job.w);
  const int64_t stride = Read::stride(job.K);
  int64_t n = begin;
  for (; n + kRows <= end; n += kRows) dot_tile<Read, kBatch, kRows>(job, w + n * stride, stride, job.y + n);
  for (; n < end; ++n) dot_tile<Read, kBatch, 1>(job, w + n * stride, stride, job.y + n);
}

template <class Read>
void dot_batch(const Job& job, int64_t M, int64_t begin, int64_t end) {
  switch (M) {
    case 1:
      return dot_range<Read, 1>(job, begin, end);
    case 2:
      return dot_range<Read, 2>(job, begin, end);
    case 3:
      return dot_range<Read, 3>(job, begin, end);
    case 4:
      return dot_range<Read, 4>(job, begin, end);
    case 5:
      return dot_range<Read, 5>(job, begin, end);
    case 6:
      return dot_range<Read, 6>(job, begin, end);
    case 7:
      return dot_range<Read, 7>(job, begin, end);
    case 8:
      return dot_range<Read, 8>(job, begin, end);
    default:
      return;
  }
}

// Rows of blocks as the floats that the reader gives.
template <Dtype dtype>
void fill_rows(const typename Codec<dtype>::Block* block, float* out, int64_t n) {
  using Read = ReadBlocks<dtype>;
  for (const float* end = out + n; out < end; ++block) {
    typename Read::Scales scales;
    Read::read_scales(block, scales);
    for (int g = 0; g < Read::kGroups; ++g, out += kQuantBlock) {
      Vec v[kBlockVecs];
      Read::load_values(block, scales, g, v);
      for (int i = 0; i < kBlockVecs; ++i) store(out + i * kLanes, v[i]);
    }
  }
}

// A few rows at a time become floats in L1 or L2: the sums are those of the reader, in the same order.
template <Dtype dtype>
void dot_filled(const Job& job, int64_t M, int64_t begin, int64_t end) {
  constexpr int64_t kRowsAtATime = 8;
  float* rows = thread_scratch(static_cast<size_t>(kRowsAtATime * job.K));
  const auto* w = static_cast<const typename Codec<dtype>::Block*>(job.w);
  for (int64_t n = begin; n < end; n += kRowsAtATime) {
    const int64_t n_rows = end - n < kRowsAtATime ? end - n : kRowsAtATime;
    fill_rows<dtype>(w + n * ReadBlocks<dtype>::stride(job.K), rows, n_rows * job.K);
    dot_batch<ReadF32>({job.N, job.K, job.x, rows, job.y + n}, M, 0, n_rows);
  }
}

// Batches of dtypes that are seldom met are filled in, and all that need plain loops to be read: a tile for each size
// of the batch would cost more code than it is worth.
template <Dtype dtype>
void dot_blocks(const Job& job, int64_t M, int64_t begin, int64_t end) {
  constexpr bool is_usual =
      HEARTH_ISA_LEVEL > 0 && (dtype == Dtype::q8_0 || dtype == Dtype::q4_0 || dtype == Dtype::q4_k ||
                               dtype == Dtype::q6_k || dtype == Dtype::mxfp4);
  static_assert(is_usual || !ReadBlocks<dtype>::kScalesLast, "one row of x would have other bits than a batch");
  using Read = ReadBlocks<dtype>;
  if constexpr (is_usual)
    return dot_batch<Read>(job, M, begin, end);
  else if constexpr (HEARTH_ISA_LEVEL > 0 && !kIsGrid<dtype>)
    if (M == 1) return dot_range<Read, 1>(job, begin, end);
  dot_filled<dtype>(job, M, begin, end);
}

}  // namespace

void dot_rows(int64_t M, int64_t N, int64_t K, const float* x, Dtype w_dtype, const void* w, float* y,
              const Worker& me) {
  const auto [begin, end] = me.share(N, 8);
  const Job job{N, K, x, w, y};
  switch (w_dtype) {
    case Dtype::f32:
      return dot_batch<ReadF32>(job, M, begin, end);
    case Dtype::f16:
      return dot_batch<ReadF16>(job, M, begin, end);
    case Dtype::bf16:
      return dot_batch<ReadBf16>(job, M, begin, end);
#define HEARTH_DOT(T) \
  case Dtype::T:      \
    return dot_blocks<Dtype::T>(job, M, begin, end);
      HEARTH_QUANTISED(HEARTH_DOT)
#undef HEARTH_DOT
    case Dtype::i32:
      return;  // not a weight dtype
  }
}

}  // namespace hearth::HEARTH_ISA
