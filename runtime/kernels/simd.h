// The vocabulary kernels are written in: one vector of floats as wide as the ISA of this compilation, loads that widen
// every weight type, partial loads for tails, exp. Only for sources that kernels.cmake compiles per ISA.
//
// Vectors are the compiler's own (GCC and clang vector extensions), so + - * work on them and a * b + c becomes one
// FMA where the ISA has it. Full and Part say how many lanes a load or store touches:
//
//   over(begin, end, [&](int64_t i, auto lanes) { store(y + i, load(x + i, lanes) * factor, lanes); });
#pragma once

#include <cstdint>
#include <cstring>

#include "runtime/tensor/dtype.h"
#include "runtime/tensor/scalar.h"

#if HEARTH_ISA_LEVEL > 0
#include <immintrin.h>
#endif

#define HEARTH_INLINE static inline __attribute__((always_inline, unused))

namespace hearth::HEARTH_ISA {

#if HEARTH_ISA_LEVEL == 2
constexpr int kLanes = 16;
#elif HEARTH_ISA_LEVEL == 1
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

using Vec = float __attribute__((vector_size(kLanes * 4)));
using IntVec = int32_t __attribute__((vector_size(kLanes * 4)));

struct Full {
  static constexpr int n = kLanes;
};
struct Part {
  int n;
};

HEARTH_INLINE Vec splat(float x) {
  return x - Vec{};
}
HEARTH_INLINE IntVec splat_int(int32_t x) {
  return x - IntVec{};
}
HEARTH_INLINE Vec as_float(IntVec bits) {
  return reinterpret_cast<Vec>(bits);
}
HEARTH_INLINE IntVec as_int(Vec value) {
  return reinterpret_cast<IntVec>(value);
}
// where mask is -1: a, where 0: b
HEARTH_INLINE Vec select(IntVec mask, Vec a, Vec b) {
  return mask ? a : b;
}
HEARTH_INLINE Vec max(Vec a, Vec b) {
#if HEARTH_ISA_LEVEL == 2
  return _mm512_max_ps(a, b);
#elif HEARTH_ISA_LEVEL == 1
  return _mm256_max_ps(a, b);
#else
  return a > b ? a : b;
#endif
}
HEARTH_INLINE Vec min(Vec a, Vec b) {
#if HEARTH_ISA_LEVEL == 2
  return _mm512_min_ps(a, b);
#elif HEARTH_ISA_LEVEL == 1
  return _mm256_min_ps(a, b);
#else
  return a < b ? a : b;
#endif
}

// ---- floats ----

HEARTH_INLINE Vec load(const float* p, Full = {}) {
  Vec v;
  memcpy(&v, p, sizeof v);
  return v;
}
HEARTH_INLINE void store(float* p, Vec v, Full = {}) {
  memcpy(p, &v, sizeof v);
}

#if HEARTH_ISA_LEVEL == 2
HEARTH_INLINE __mmask16 lane_mask(Part part) {
  return static_cast<__mmask16>((1u << part.n) - 1);
}
HEARTH_INLINE Vec load(const float* p, Part part) {
  return _mm512_maskz_loadu_ps(lane_mask(part), p);
}
HEARTH_INLINE void store(float* p, Vec v, Part part) {
  _mm512_mask_storeu_ps(p, lane_mask(part), v);
}
#elif HEARTH_ISA_LEVEL == 1
alignas(32) constexpr int32_t kMaskWindow[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
HEARTH_INLINE __m256i lane_mask(Part part) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMaskWindow + 8 - part.n));
}
HEARTH_INLINE Vec load(const float* p, Part part) {
  return _mm256_maskload_ps(p, lane_mask(part));
}
HEARTH_INLINE void store(float* p, Vec v, Part part) {
  _mm256_maskstore_ps(p, lane_mask(part), v);
}
#else
HEARTH_INLINE Vec load(const float* p, Part part) {
  Vec v{};
  for (int i = 0; i < kLanes; ++i)
    if (i < part.n) v[i] = p[i];
  return v;
}
HEARTH_INLINE void store(float* p, Vec v, Part part) {
  for (int i = 0; i < kLanes; ++i)
    if (i < part.n) p[i] = v[i];
}
#endif

// ---- halves ----

HEARTH_INLINE Vec load_f16(const uint16_t* p) {
#if HEARTH_ISA_LEVEL == 2
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
#elif HEARTH_ISA_LEVEL == 1
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
#else
  Vec v;
  for (int i = 0; i < kLanes; ++i) v[i] = f16_to_float(p[i]);
  return v;
#endif
}
HEARTH_INLINE Vec load_bf16(const uint16_t* p) {
#if HEARTH_ISA_LEVEL == 2
  const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
#elif HEARTH_ISA_LEVEL == 1
  const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
#else
  Vec v;
  for (int i = 0; i < kLanes; ++i) v[i] = bf16_to_float(p[i]);
  return v;
#endif
}
// Round to nearest even, as float_to_f16.
HEARTH_INLINE void store_f16(uint16_t* p, Vec v) {
#if HEARTH_ISA_LEVEL == 2
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
#elif HEARTH_ISA_LEVEL == 1
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
#else
  for (int i = 0; i < kLanes; ++i) p[i] = float_to_f16(v[i]);
#endif
}
HEARTH_INLINE float scale_of(uint16_t f16) {
#if HEARTH_ISA_LEVEL > 0
  return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(f16)));
#else
  return f16_to_float(f16);
#endif
}

// ---- bytes ----

HEARTH_INLINE Vec load_i8(const int8_t* p) {
#if HEARTH_ISA_LEVEL == 2
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#elif HEARTH_ISA_LEVEL == 1
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
#else
  Vec v;
  for (int i = 0; i < kLanes; ++i) v[i] = p[i];
  return v;
#endif
}

// ---- sums over lanes, in one fixed order ----

HEARTH_INLINE float sum_lanes(Vec v) {
#if HEARTH_ISA_LEVEL == 2
  return _mm512_reduce_add_ps(v);
#elif HEARTH_ISA_LEVEL == 1
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
#else
  return (v[0] + v[2]) + (v[1] + v[3]);
#endif
}
HEARTH_INLINE float max_lanes(Vec v) {
  float largest = v[0];
  for (int i = 1; i < kLanes; ++i) largest = v[i] > largest ? v[i] : largest;
  return largest;
}

// ---- exp ----

// e^x to about 1e-7 relative: x = n ln 2 + r with |r| <= ln 2 / 2, a polynomial for e^r, and 2^n put into the exponent
// in two factors, so that the whole float range works. Below -87.3 the result is 0, above 88.7 infinity.
HEARTH_INLINE Vec exp(Vec x) {
  constexpr float kLog2e = 1.44269504088896341f;
  constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
  const Vec clamped = min(max(x, splat(-87.33654f)), splat(88.72284f));
  const Vec magic = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
  const Vec shifted = clamped * kLog2e + magic;
  const Vec n = shifted - magic;
  const Vec r = (clamped - n * kLn2High) - n * kLn2Low;
  Vec p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = (p * r) * r + (r + 1.0f);
#if HEARTH_ISA_LEVEL == 2
  const Vec scaled = _mm512_scalef_ps(p, n);
#else
  const IntVec whole = as_int(shifted) - as_int(magic);
  const IntVec half = whole >> 1;
  const Vec scaled = p * as_float((half + 127) << 23) * as_float((whole - half + 127) << 23);
#endif
  const Vec bounded = select(x < splat(-87.33654f), Vec{}, scaled);
  return select(x > splat(88.72284f), splat(__builtin_inff()), bounded);
}
HEARTH_INLINE Vec sigmoid(Vec x) {
  return 1.0f / (1.0f + exp(-x));
}

// ---- loops ----

// body(i, lanes) for vectors starting at begin; the last may be partial.
template <class Body>
HEARTH_INLINE void over(int64_t begin, int64_t end, Body body) {
  int64_t i = begin;
  for (; i + kLanes <= end; i += kLanes) body(i, Full{});
  if (i < end) body(i, Part{static_cast<int>(end - i)});
}

// Lanes past the end hold `fill`: for maxima and sums over a tail.
HEARTH_INLINE Vec with_fill(Vec v, Full, float) {
  return v;
}
HEARTH_INLINE Vec with_fill(Vec v, Part part, float fill) {
  IntVec lane;
  for (int i = 0; i < kLanes; ++i) lane[i] = i;
  return select(lane < splat_int(part.n), v, splat(fill));
}

// Four independent sums hide the latency of the FMA; the order depends on n only.
HEARTH_INLINE float dot(const float* a, const float* b, int64_t n) {
  Vec s0{}, s1{}, s2{}, s3{};
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    s0 += load(a + i) * load(b + i);
    s1 += load(a + i + kLanes) * load(b + i + kLanes);
    s2 += load(a + i + 2 * kLanes) * load(b + i + 2 * kLanes);
    s3 += load(a + i + 3 * kLanes) * load(b + i + 3 * kLanes);
  }
  over(i, n, [&](int64_t j, auto lanes) { s0 += load(a + j, lanes) * load(b + j, lanes); });
  return sum_lanes((s0 + s1) + (s2 + s3));
}

// y += a * x
HEARTH_INLINE void add_scaled(float* y, float a, const float* x, int64_t n) {
  over(0, n, [&](int64_t i, auto lanes) { store(y + i, load(y + i, lanes) + a * load(x + i, lanes), lanes); });
}

}  // namespace hearth::HEARTH_ISA
