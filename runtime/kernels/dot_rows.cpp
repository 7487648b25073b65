// Decode is bound by reading the weights, so: one pass over them, 32 weights at a time (a quantised block) widened into
// registers and used for all rows of x; several rows of w at once, so that their sums hide each other's latency.
// Each (row of x, row of w) pair has one vector of partial sums, filled in the order of k.
#include "runtime/kernels/dot_rows.h"

#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {
namespace {

constexpr int kUnit = kQuantBlock;  // weights loaded at a time
constexpr int kUnitVecs = kUnit / kLanes;

// How each dtype is read: unit u of a row, as floats.
struct ReadF32 {
  using Element = float;
  static constexpr int kElementsPerUnit = kUnit;
  HEARTH_INLINE void load_unit(const float* row, int64_t u, Vec (&v)[kUnitVecs]) {
    for (int i = 0; i < kUnitVecs; ++i) v[i] = load(row + u * kUnit + i * kLanes);
  }
  HEARTH_INLINE float load_one(const float* row, int64_t k) { return row[k]; }
};
struct ReadF16 {
  using Element = uint16_t;
  static constexpr int kElementsPerUnit = kUnit;
  HEARTH_INLINE void load_unit(const uint16_t* row, int64_t u, Vec (&v)[kUnitVecs]) {
    for (int i = 0; i < kUnitVecs; ++i) v[i] = load_f16(row + u * kUnit + i * kLanes);
  }
  HEARTH_INLINE float load_one(const uint16_t* row, int64_t k) { return scale_of(row[k]); }
};
struct ReadBf16 {
  using Element = uint16_t;
  static constexpr int kElementsPerUnit = kUnit;
  HEARTH_INLINE void load_unit(const uint16_t* row, int64_t u, Vec (&v)[kUnitVecs]) {
    for (int i = 0; i < kUnitVecs; ++i) v[i] = load_bf16(row + u * kUnit + i * kLanes);
  }
  HEARTH_INLINE float load_one(const uint16_t* row, int64_t k) { return bf16_to_float(row[k]); }
};
template <class Block>
struct ReadBlocks {
  using Element = Block;
  static constexpr int kElementsPerUnit = 1;
  HEARTH_INLINE void load_unit(const Block* row, int64_t u, Vec (&v)[kUnitVecs]) {
    load_block(row[u], v);
    const Vec scale = splat(scale_of(row[u].scale));
    for (int i = 0; i < kUnitVecs; ++i) v[i] *= scale;
  }
  HEARTH_INLINE float load_one(const Block*, int64_t) { return 0; }  // rows are whole blocks
};

// kRows rows of w, the first at `w`, against kBatch rows of x.
template <class Read, int kBatch, int kRows>
HEARTH_INLINE void dot_tile(const typename Read::Element* w, int64_t row_stride, const float* x, int64_t K, float* y,
                            int64_t N) {
  Vec sum[kBatch][kRows] = {};
  const int64_t n_units = K / kUnit;
  for (int64_t u = 0; u < n_units; ++u) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      Vec v[kUnitVecs];
      Read::load_unit(w + r * row_stride, u, v);
      // Rows are too short, and too many at once, for the hardware to see the stream: ask for the next tile's.
      __builtin_prefetch(w + (r + kRows) * row_stride + u * Read::kElementsPerUnit);
#pragma GCC unroll 16
      for (int m = 0; m < kBatch; ++m)
#pragma GCC unroll 16
        for (int i = 0; i < kUnitVecs; ++i) sum[m][r] += v[i] * load(x + m * K + u * kUnit + i * kLanes);
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int m = 0; m < kBatch; ++m) {
      float total = sum_lanes(sum[m][r]);
      for (int64_t k = n_units * kUnit; k < K; ++k) total += Read::load_one(w + r * row_stride, k) * x[m * K + k];
      y[m * N + r] = total;
    }
}

struct Job {
  int64_t N, K;
  const float* x;
  const void* w;
  float* y;
};

template <class Read, int kBatch>
void dot_range(const Job& job, int64_t begin, int64_t end) {
  // Accumulators: kBatch * kRows, at most 16 of 32 registers with AVX-512, 8 of 16 else.
  constexpr int kBudget = HEARTH_ISA_LEVEL == 2 ? 16 : 8;
  constexpr int kFit = kBudget / kBatch;
  constexpr int kRows = kFit >= 8 ? 8 : kFit >= 4 ? 4 : kFit >= 2 ? 2 : 1;
  const auto* w = static_cast<const typename Read::Element*>(job.w);
  const int64_t stride = job.K / kUnit * Read::kElementsPerUnit + (Read::kElementsPerUnit > 1 ? job.K % kUnit : 0);
  int64_t n = begin;
  for (; n + kRows <= end; n += kRows)
    dot_tile<Read, kBatch, kRows>(w + n * stride, stride, job.x, job.K, job.y + n, job.N);
  for (; n < end; ++n) dot_tile<Read, kBatch, 1>(w + n * stride, stride, job.x, job.K, job.y + n, job.N);
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
    case Dtype::q8_0:
      return dot_batch<ReadBlocks<BlockQ8_0>>(job, M, begin, end);
    case Dtype::q4_0:
      return dot_batch<ReadBlocks<BlockQ4_0>>(job, M, begin, end);
    case Dtype::i32:
      return;  // not a weight dtype
  }
}

}  // namespace hearth::HEARTH_ISA
