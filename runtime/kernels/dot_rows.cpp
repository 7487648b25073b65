// Decode is bound by reading the weights, so: one pass over them, 32 weights at a time (a quantised block) widened into
// registers and used for all rows of x; several rows of w at once, so that their sums hide each other's latency.
// Dtypes that are seldom met are widened into a small buffer instead: a reader each would cost more code than it is
// worth. Each (row of x, row of w) pair has one vector of partial sums, filled in the order of k.
#include "runtime/kernels/dot_rows.h"

#include "runtime/kernels/convert.h"
#include "runtime/kernels/load_group.h"
#include "runtime/kernels/simd.h"
#include "runtime/kernels/thread_scratch.h"

namespace hearth::HEARTH_ISA {
namespace {

constexpr int kUnit = kQuantBlock;  // weights loaded at a time
constexpr int kUnitVecs = kUnit / kLanes;

// How each dtype is read: unit u of a row, as floats.
template <class E>
struct ReadNumbers {
  using Element = E;
  HEARTH_INLINE int64_t stride(int64_t K) { return K; }
  HEARTH_INLINE const E* unit(const E* row, int64_t u) { return row + u * kUnit; }
};
struct ReadF32 : ReadNumbers<float> {
  HEARTH_INLINE void load_unit(const float* row, int64_t u, Vec (&v)[kUnitVecs]) {
    for (int i = 0; i < kUnitVecs; ++i) v[i] = load(row + u * kUnit + i * kLanes);
  }
  HEARTH_INLINE float load_one(const float* row, int64_t k) { return row[k]; }
};
struct ReadF16 : ReadNumbers<uint16_t> {
  HEARTH_INLINE void load_unit(const uint16_t* row, int64_t u, Vec (&v)[kUnitVecs]) {
    for (int i = 0; i < kUnitVecs; ++i) v[i] = load_f16(row + u * kUnit + i * kLanes);
  }
  HEARTH_INLINE float load_one(const uint16_t* row, int64_t k) { return scale_of(row[k]); }
};
struct ReadBf16 : ReadNumbers<uint16_t> {
  HEARTH_INLINE void load_unit(const uint16_t* row, int64_t u, Vec (&v)[kUnitVecs]) {
    for (int i = 0; i < kUnitVecs; ++i) v[i] = load_bf16(row + u * kUnit + i * kLanes);
  }
  HEARTH_INLINE float load_one(const uint16_t* row, int64_t k) { return bf16_to_float(row[k]); }
};
template <Dtype dtype>
struct ReadBlocks {
  using C = Codec<dtype>;
  using Element = typename C::Block;
  static constexpr int kGroups = C::kElements / kUnit;
  HEARTH_INLINE int64_t stride(int64_t K) { return K / C::kElements; }
  HEARTH_INLINE const Element* unit(const Element* row, int64_t u) { return row + u / kGroups; }
  HEARTH_INLINE void load_unit(const Element* row, int64_t u, Vec (&v)[kUnitVecs]) {
    load_group<dtype>(row[u / kGroups], static_cast<int>(u % kGroups), v);
  }
  HEARTH_INLINE float load_one(const Element*, int64_t) { return 0; }  // rows are whole blocks
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
      __builtin_prefetch(Read::unit(w + (r + kRows) * row_stride, u));
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
  const int64_t stride = Read::stride(job.K);
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

// The dtypes without a reader of their own: a few rows at a time become floats in L1 or L2.
void dot_widened(const Job& job, Dtype dtype, int64_t M, int64_t begin, int64_t end) {
  constexpr int64_t kRowsAtATime = 8;
  float* rows = thread_scratch(static_cast<size_t>(kRowsAtATime * job.K));
  for (int64_t n = begin; n < end; n += kRowsAtATime) {
    const int64_t n_rows = end - n < kRowsAtATime ? end - n : kRowsAtATime;
    widen(dtype, job.w, n * job.K, rows, n_rows * job.K);
    dot_batch<ReadF32>({job.N, job.K, job.x, rows, job.y + n}, M, 0, n_rows);
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
      return dot_batch<ReadBlocks<Dtype::q8_0>>(job, M, begin, end);
    case Dtype::q4_0:
      return dot_batch<ReadBlocks<Dtype::q4_0>>(job, M, begin, end);
    case Dtype::q4_k:
      return dot_batch<ReadBlocks<Dtype::q4_k>>(job, M, begin, end);
    case Dtype::q6_k:
      return dot_batch<ReadBlocks<Dtype::q6_k>>(job, M, begin, end);
    case Dtype::mxfp4:
      return dot_batch<ReadBlocks<Dtype::mxfp4>>(job, M, begin, end);
    case Dtype::i32:
      return;  // not a weight dtype
    default:
      return dot_widened(job, w_dtype, M, begin, end);
  }
}

}  // namespace hearth::HEARTH_ISA
