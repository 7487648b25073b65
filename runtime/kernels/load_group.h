// Quantised blocks into registers: load_group<dtype, rounding>(block, scales, g, v) gives elements [32g, 32g + 32) of a
// block as floats. Levels come as bytes that are widened (byte_levels.h), or, with AVX-512, out of a vector that holds
// all 16 values that a four-bit level can have in this block, scaled already: one shuffle instead of three
// instructions. Other formats take the plain way, which is any codec's.
#pragma once

#include "runtime/kernels/block_scales.h"
#include "runtime/kernels/grid_levels.h"
#include "runtime/kernels/simd.h"
#include "runtime/tensor/codecs/all.h"

namespace hearth::HEARTH_ISA {

constexpr int kBlockVecs = kQuantBlock / kLanes;

// scale * level + offset: `codec` rounds twice and gives the codec's bits; `fused` rounds once where the instruction
// set can, which is quicker and enough for a product.
enum class Rounding { codec, fused };

// a * b + c, rounded once where the ISA has the instruction, whatever stands around it.
HEARTH_INLINE Vec multiply_add(Vec a, Vec b, Vec c) {
#if HEARTH_ISA_LEVEL == 2
  return _mm512_fmadd_ps(a, b, c);
#elif HEARTH_ISA_LEVEL == 1
  return _mm256_fmadd_ps(a, b, c);
#else
  return a * b + c;
#endif
}
// One half, widened, in every lane.
HEARTH_INLINE Vec splat_half(uint16_t f16) {
#if HEARTH_ISA_LEVEL == 2
  return _mm512_cvtph_ps(_mm256_set1_epi16(static_cast<short>(f16)));
#elif HEARTH_ISA_LEVEL == 1
  return _mm256_cvtph_ps(_mm_set1_epi16(static_cast<short>(f16)));
#else
  return splat(f16_to_float(f16));
#endif
}

// Keeps the compiler from fusing a product with the sum after it: the bits would depend on the instruction set.
HEARTH_INLINE Vec as_rounded(Vec v) {
#if HEARTH_ISA_LEVEL == 2
  asm("" : "+v"(v));
#elif defined(__x86_64__)
  asm("" : "+x"(v));
#elif defined(__aarch64__)
  asm("" : "+w"(v));
#endif
  return v;
}
template <Rounding rounding>
HEARTH_INLINE Vec scaled(Vec level, Vec scale, Vec offset) {
  return rounding == Rounding::fused ? multiply_add(level, scale, offset) : as_rounded(level * scale) + offset;
}

// ---- the scale of each vector ----

// A block of one group: from the block at once. Else from memory, where read_scales() put them.
template <Dtype dtype>
HEARTH_INLINE Vec scale_of_vec(const typename Codec<dtype>::Block& block, const BlockScales<dtype>& scales, int sub) {
  if constexpr (requires {
                  requires Codec<dtype>::kElements == kQuantBlock;
                  block.scale;
                })
    return splat_half(block.scale);
  else if constexpr (Codec<dtype>::kElements == kQuantBlock)
    return splat(Codec<dtype>::scale(block, 0, MachineHalf{}));
  else
    return splat(scales.scale[sub]);
}
template <Dtype dtype>
HEARTH_INLINE Vec offset_of_vec(const typename Codec<dtype>::Block& block, const BlockScales<dtype>& scales, int sub) {
  if constexpr (Codec<dtype>::kElements == kQuantBlock)
    return splat_half(block.minimum);
  else
    return splat(scales.offset[sub]);
}

template <Dtype dtype, Rounding rounding>
HEARTH_INLINE void apply_scales(const typename Codec<dtype>::Block& block, const BlockScales<dtype>& scales, int g,
                                Vec (&v)[kBlockVecs]) {
  using C = Codec<dtype>;
#pragma GCC unroll 16
  for (int i = 0; i < kBlockVecs; ++i) {
    const int sub = (g * kQuantBlock + i * kLanes) / C::kSub;
    const Vec scale = scale_of_vec<dtype>(block, scales, sub);
    if constexpr (C::kHasOffset)
      v[i] = scaled<rounding>(v[i], scale, offset_of_vec<dtype>(block, scales, sub));
    else
      v[i] = as_rounded(v[i] * scale);
  }
}

// ---- levels ----

// Formats with byte_levels(): after a little arithmetic, or by looking up and computing.
template <Dtype dtype>
constexpr bool kHasByteLevels = HEARTH_ISA_LEVEL > 0 && dtype != Dtype::f8x128&& dtype != Dtype::nf4;
template <Dtype dtype>
constexpr bool kIsGrid =
    dtype == Dtype::iq1_s || dtype == Dtype::iq1_m || dtype == Dtype::iq2_xxs || dtype == Dtype::iq2_xs ||
    dtype == Dtype::iq2_s || dtype == Dtype::iq3_xxs || dtype == Dtype::iq3_s || dtype == Dtype::tq1_0;
template <Dtype dtype>
constexpr bool kHasEighths = kHasByteLevels<dtype> && (dtype == Dtype::iq1_s || dtype == Dtype::iq1_m);

#if HEARTH_ISA_LEVEL > 0
HEARTH_INLINE void signed_to_floats(Bytes bytes, Vec (&v)[kBlockVecs]) {
#if HEARTH_ISA_LEVEL == 2
  v[0] = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm256_castsi256_si128(bytes)));
  v[1] = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm256_extracti128_si256(bytes, 1)));
#else
  const __m128i low = _mm256_castsi256_si128(bytes), high = _mm256_extracti128_si256(bytes, 1);
  v[0] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(low));
  v[1] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_unpackhi_epi64(low, low)));
  v[2] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(high));
  v[3] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_unpackhi_epi64(high, high)));
#endif
}
#endif

#if HEARTH_ISA_LEVEL > 0

// e4m3 has the low four of a half's five exponent bits, so it is a half of 1/256 of its value; 0x7f is NaN.
HEARTH_INLINE void load_e4m3(const uint8_t* q, Vec (&v)[kBlockVecs]) {
  alignas(32) uint16_t halves[kQuantBlock];
  for (int i = 0; i < kQuantBlock; i += 16) {
    const __m256i wide = _mm256_cvtepi8_epi16(load_16(q + i));
    const __m256i magnitude = _mm256_and_si256(wide, _mm256_set1_epi16(127));
    const __m256i is_nan = _mm256_cmpeq_epi16(magnitude, _mm256_set1_epi16(127));
    const __m256i sign = _mm256_and_si256(wide, _mm256_set1_epi16(-32768));
    const __m256i number = _mm256_or_si256(sign, _mm256_slli_epi16(magnitude, 7));
    const __m256i half = _mm256_or_si256(number, _mm256_and_si256(is_nan, _mm256_set1_epi16(0x7e00)));
    _mm256_store_si256(reinterpret_cast<__m256i*>(halves + i), half);
  }
  for (int i = 0; i < kBlockVecs; ++i) v[i] = load_f16(halves + i * kLanes) * 256.0f;
}

struct Nf4Levels {
  alignas(64) float of[16];
};
constexpr Nf4Levels kNf4 = [] {
  Nf4Levels out{};
  for (int i = 0; i < 16; ++i) out.of[i] = nf4_level(i);
  return out;
}();

// 16 normal floats, chosen by indices of which only the low four bits count.
HEARTH_INLINE Vec look_up_nf4(__m128i indices) {
#if HEARTH_ISA_LEVEL == 2
  return _mm512_permutexvar_ps(_mm512_cvtepu8_epi32(indices), _mm512_load_ps(kNf4.of));
#else
  const __m256i wide = _mm256_cvtepu8_epi32(indices);
  const __m256 low = _mm256_permutevar8x32_ps(_mm256_load_ps(kNf4.of), wide);
  const __m256 high = _mm256_permutevar8x32_ps(_mm256_load_ps(kNf4.of + 8), wide);
  return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(wide, 28)));
#endif
}
HEARTH_INLINE void load_nf4(const uint8_t* q, Vec (&v)[kBlockVecs]) {
  const __m128i bytes = load_16(q), first = and_16(_mm_srli_epi16(bytes, 4), 15), second = and_16(bytes, 15);
  const __m128i low = _mm_unpacklo_epi8(first, second), high = _mm_unpackhi_epi8(first, second);
#if HEARTH_ISA_LEVEL == 2
  v[0] = look_up_nf4(low), v[1] = look_up_nf4(high);
#else
  v[0] = look_up_nf4(low), v[1] = look_up_nf4(_mm_srli_si128(low, 8));
  v[2] = look_up_nf4(high), v[3] = look_up_nf4(_mm_srli_si128(high, 8));
#endif
}

// Four bits of eight bytes, each in its own lane.
#if HEARTH_ISA_LEVEL == 1
HEARTH_INLINE Vec nibbles_of_8(const uint8_t* q, bool high, int shift) {
  const __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(q)));
  const __m256i bits = high ? _mm256_srli_epi32(bytes, 4) : _mm256_and_si256(bytes, _mm256_set1_epi32(15));
  return _mm256_cvtepi32_ps(_mm256_sub_epi32(bits, _mm256_set1_epi32(shift)));
}
#endif

template <Dtype dtype>
HEARTH_INLINE void load_levels(const typename Codec<dtype>::Block& block, int g, Vec (&v)[kBlockVecs]) {
  if constexpr (dtype == Dtype::f8x128)
    load_e4m3(block.q + g * kQuantBlock, v);
  else if constexpr (dtype == Dtype::nf4)
    load_nf4(block.q + g * kQuantBlock / 2, v);
  else if constexpr (dtype == Dtype::q8_0 || dtype == Dtype::i8x128)
    for (int i = 0; i < kBlockVecs; ++i) v[i] = load_i8(block.q + g * kQuantBlock + i * kLanes);
  else if constexpr (HEARTH_ISA_LEVEL == 1 && dtype == Dtype::q4_0)
    for (int i = 0; i < kBlockVecs; ++i) v[i] = nibbles_of_8(block.q + i % 2 * 8, i >= 2, 8);
  else if constexpr (HEARTH_ISA_LEVEL == 1 && dtype == Dtype::q4_k)
    for (int i = 0; i < kBlockVecs; ++i) v[i] = nibbles_of_8(block.q + g / 2 * 32 + i * 8, g % 2 == 1, 0);
  else
    signed_to_floats(byte_levels(block, g), v);
  if constexpr (kHasEighths<dtype>)
    for (Vec& levels : v) levels = levels * 0.125f;
}

#else

template <Dtype dtype>
HEARTH_INLINE void load_levels(const typename Codec<dtype>::Block& block, int g, Vec (&v)[kBlockVecs]) {
  float levels[kQuantBlock];
  for (int i = 0; i < kQuantBlock; ++i) levels[i] = Codec<dtype>::level(block, g * kQuantBlock + i);
  for (int i = 0; i < kBlockVecs; ++i) v[i] = load(levels + i * kLanes);
}

#endif

// ---- four-bit levels out of a register ----

// Formats whose level is one of 16, chosen by four bits: of how many elements the bits lie in one run of bytes, the
// first half of them in the low halves.
template <Dtype dtype>
constexpr int kNibbleRun = HEARTH_ISA_LEVEL < 2                               ? 0
                           : dtype == Dtype::q4_k                             ? 64
                           : dtype == Dtype::q4_0 || dtype == Dtype::q4_1     ? 32
                           : dtype == Dtype::iq4_nl || dtype == Dtype::iq4_xs ? 32
                           : dtype == Dtype::mxfp4                            ? 32
                                                                              : 0;

#if HEARTH_ISA_LEVEL == 2
template <Dtype dtype>
HEARTH_INLINE Vec all_levels() {
  alignas(16) constexpr int8_t kCount[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  if constexpr (dtype == Dtype::mxfp4) return load_i8(kE2m1Doubled);
  if constexpr (dtype == Dtype::iq4_nl || dtype == Dtype::iq4_xs) return load_i8(kNonlinearLevels);
  return load_i8(kCount) - (dtype == Dtype::q4_0 ? 8.0f : 0.0f);
}

// 16 bytes, each in its own lane; the shuffle that takes them as indices looks at their low four bits only.
HEARTH_INLINE __m512i spread_16(const uint8_t* q) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(q)));
}

template <Dtype dtype>
HEARTH_INLINE void load_by_table(const typename Codec<dtype>::Block& block, const BlockScales<dtype>& scales, int g,
                                 Vec (&v)[kBlockVecs]) {
  using C = Codec<dtype>;
  static_assert(C::kSub == kQuantBlock);
  Vec table = as_rounded(all_levels<dtype>() * scale_of_vec<dtype>(block, scales, g));
  if constexpr (C::kHasOffset) table += offset_of_vec<dtype>(block, scales, g);
  if constexpr (kNibbleRun<dtype> == 32) {
    const __m512i q = spread_16(block.q + g * 16);
    v[0] = _mm512_permutexvar_ps(q, table);
    v[1] = _mm512_permutexvar_ps(_mm512_srli_epi32(q, 4), table);
  } else {
    const uint8_t* q = block.q + g / 2 * 32;
#pragma GCC unroll 2
    for (int i = 0; i < kBlockVecs; ++i)
      v[i] = _mm512_permutexvar_ps(_mm512_srli_epi32(spread_16(q + i * 16), static_cast<unsigned>(g % 2 * 4)), table);
  }
}
#endif

template <Dtype dtype, Rounding rounding>
HEARTH_INLINE void load_group(const typename Codec<dtype>::Block& block, const BlockScales<dtype>& scales, int g,
                              Vec (&v)[kBlockVecs]) {
  if constexpr (kNibbleRun < dtype >> 0) {
#if HEARTH_ISA_LEVEL == 2
    load_by_table<dtype>(block, scales, g, v);
#endif
  } else {
    load_levels<dtype>(block, g, v);
    apply_scales<dtype, rounding>(block, scales, g, v);
  }
}

}  // namespace hearth::HEARTH_ISA
