// Transposes in registers, for packing.
#pragma once

#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {

// v[i][j] and v[j][i] change places.
#if HEARTH_ISA_LEVEL == 2
HEARTH_INLINE void transpose(Vec (&v)[16]) {
  Vec t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(v[i], v[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(v[i], v[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4)
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      const __m512d low = _mm512_castps_pd(t[i + j]), high = _mm512_castps_pd(t[i + j + 2]);
      v[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
      v[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
    }
    // v[4g + c] now holds columns c, c + 4, c + 8, c + 12 of rows 4g..4g + 3, one per 128-bit lane.
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    const Vec even01 = _mm512_shuffle_f32x4(v[c], v[4 + c], 0x88), odd01 = _mm512_shuffle_f32x4(v[c], v[4 + c], 0xdd);
    const Vec even23 = _mm512_shuffle_f32x4(v[8 + c], v[12 + c], 0x88);
    const Vec odd23 = _mm512_shuffle_f32x4(v[8 + c], v[12 + c], 0xdd);
    t[c] = _mm512_shuffle_f32x4(even01, even23, 0x88);
    t[c + 4] = _mm512_shuffle_f32x4(odd01, odd23, 0x88);
    t[c + 8] = _mm512_shuffle_f32x4(even01, even23, 0xdd);
    t[c + 12] = _mm512_shuffle_f32x4(odd01, odd23, 0xdd);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) v[i] = t[i];
}
#elif HEARTH_ISA_LEVEL == 1
HEARTH_INLINE void transpose(Vec (&v)[8]) {
  Vec t[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(v[i], v[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(v[i], v[i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4)
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      const __m256d low = _mm256_castps_pd(t[i + j]), high = _mm256_castps_pd(t[i + j + 2]);
      v[i + 2 * j] = _mm256_castpd_ps(_mm256_unpacklo_pd(low, high));
      v[i + 2 * j + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low, high));
    }
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    t[c] = _mm256_permute2f128_ps(v[c], v[4 + c], 0x20);
    t[c + 4] = _mm256_permute2f128_ps(v[c], v[4 + c], 0x31);
  }
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) v[i] = t[i];
}
#else
HEARTH_INLINE void transpose(Vec (&v)[4]) {
  const Vec low01 = __builtin_shufflevector(v[0], v[1], 0, 4, 1, 5),
            high01 = __builtin_shufflevector(v[0], v[1], 2, 6, 3, 7);
  const Vec low23 = __builtin_shufflevector(v[2], v[3], 0, 4, 1, 5),
            high23 = __builtin_shufflevector(v[2], v[3], 2, 6, 3, 7);
  v[0] = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
  v[1] = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
  v[2] = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
  v[3] = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
}
#endif

// out[k * width + r] = in[r * ld_in + k] for up to kLanes rows r; the other lanes of each store are zero. Stores are
// whole vectors in ascending order: where width < kLanes, the next k overwrites what is too much.
HEARTH_INLINE void transpose_rows(const float* in, int64_t ld_in, int64_t rows, float* out, int64_t width,
                                  int64_t depth) {
  int64_t k = 0;
  for (; k + kLanes <= depth; k += kLanes) {
    Vec v[kLanes];
    if (rows == kLanes) {
#pragma GCC unroll 16
      for (int r = 0; r < kLanes; ++r) v[r] = load(in + r * ld_in + k);
    } else {
#pragma GCC unroll 16
      for (int r = 0; r < kLanes; ++r) v[r] = r < rows ? load(in + r * ld_in + k) : Vec{};
    }
    transpose(v);
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) store(out + (k + i) * width, v[i]);
  }
  for (; k < depth; ++k)
    for (int64_t r = 0; r < kLanes; ++r) out[k * width + r] = r < rows ? in[r * ld_in + k] : 0;
}

}  // namespace hearth::HEARTH_ISA
