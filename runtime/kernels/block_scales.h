// The scales and offsets of a whole quantised block as floats, the bits that its codec gives. Where a block has many,
// they are small integers packed in some bits each: unpacked together here, because one by one they cost more than
// the 32 elements that each of them is for.
#pragma once

#include "runtime/kernels/simd.h"
#include "runtime/tensor/codecs/all.h"

namespace hearth::HEARTH_ISA {

struct MachineHalf {
  HEARTH_INLINE float convert(uint16_t bits) { return scale_of(bits); }
  inline __attribute__((always_inline)) float operator()(uint16_t bits) const { return convert(bits); }
};

// In memory, from where one instruction spreads a number over a vector.
template <Dtype dtype>
struct BlockScales {
  using C = Codec<dtype>;
  static constexpr int kN = C::kElements / C::kSub;
  alignas(64) float scale[kN];
  float offset[C::kHasOffset ? kN : 1];
};

// Keeps the compiler from taking the numbers out of the vector they were stored from, one shuffle each.
template <class T>
HEARTH_INLINE void keep_in_memory(T& object) {
  asm("" : "+m"(object));
}

template <Dtype dtype>
HEARTH_INLINE void read_scales(const typename Codec<dtype>::Block& block, BlockScales<dtype>& out) {
  using C = Codec<dtype>;
  for (int s = 0; s < BlockScales<dtype>::kN; ++s) out.scale[s] = C::scale(block, s, MachineHalf{});
  if constexpr (C::kHasOffset)
    for (int s = 0; s < BlockScales<dtype>::kN; ++s) out.offset[s] = C::offset(block, s, MachineHalf{});
  keep_in_memory(out);
}

#if HEARTH_ISA_LEVEL > 0

HEARTH_INLINE __m128i load_16(const void* p) {
  return _mm_loadu_si128(static_cast<const __m128i*>(p));
}
HEARTH_INLINE __m128i and_16(__m128i bytes, int mask) {
  return _mm_and_si128(bytes, _mm_set1_epi8(static_cast<char>(mask)));
}
// 8 signed bytes times d.
HEARTH_INLINE __m256 products_8(__m128i bytes, float d) {
  return _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)), _mm256_set1_ps(d));
}
HEARTH_INLINE void store_products_8(__m128i bytes, float d, float* out) {
  _mm256_storeu_ps(out, products_8(bytes, d));
}
HEARTH_INLINE void store_products_16(__m128i bytes, float d, float* out) {
  store_products_8(bytes, d, out);
  store_products_8(_mm_srli_si128(bytes, 8), d, out + 8);
}

// As scale_of_8() and minimum_of_8(): 8 scales, then 8 minima. Reads 16 of the bytes after `scales`.
HEARTH_INLINE __m128i scales_and_minima_of_8(const uint8_t* scales) {
  const __m128i words = load_16(scales), last = _mm_shuffle_epi32(words, 0xaa);
  const __m128i first_four = and_16(words, 63);
  const __m128i low = and_16(_mm_srlv_epi32(last, _mm_setr_epi32(0, 4, 0, 0)), 15);
  const __m128i last_four = _mm_or_si128(low, and_16(_mm_srli_epi16(words, 2), 48));
  return _mm_unpacklo_epi32(first_four, last_four);
}
template <Dtype dtype>
HEARTH_INLINE void read_six_bit_scales(const typename Codec<dtype>::Block& block, BlockScales<dtype>& out) {
  const __m128i both = scales_and_minima_of_8(block.scales);
  store_products_8(both, scale_of(block.d), out.scale);
  store_products_8(_mm_srli_si128(both, 8), -scale_of(block.dmin), out.offset);
  keep_in_memory(out);
}

#define HEARTH_INLINE_MEMBER inline __attribute__((always_inline))
template <>
HEARTH_INLINE_MEMBER void read_scales<Dtype::q4_k>(const BlockQ4K& block, BlockScales<Dtype::q4_k>& out) {
  read_six_bit_scales<Dtype::q4_k>(block, out);
}
template <>
HEARTH_INLINE_MEMBER void read_scales<Dtype::q5_k>(const BlockQ5K& block, BlockScales<Dtype::q5_k>& out) {
  read_six_bit_scales<Dtype::q5_k>(block, out);
}
template <>
HEARTH_INLINE_MEMBER void read_scales<Dtype::q6_k>(const BlockQ6K& block, BlockScales<Dtype::q6_k>& out) {
  store_products_16(load_16(block.scales), scale_of(block.d), out.scale);
  keep_in_memory(out);
}
template <>
HEARTH_INLINE_MEMBER void read_scales<Dtype::q2_k>(const BlockQ2K& block, BlockScales<Dtype::q2_k>& out) {
  const __m128i both = load_16(block.scales);
  store_products_16(and_16(both, 15), scale_of(block.d), out.scale);
  store_products_16(and_16(_mm_srli_epi16(both, 4), 15), -scale_of(block.dmin), out.offset);
  keep_in_memory(out);
}
// As scale_of_16().
template <>
HEARTH_INLINE_MEMBER void read_scales<Dtype::q3_k>(const BlockQ3K& block, BlockScales<Dtype::q3_k>& out) {
  const __m128i first = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(block.scales));
  const __m128i low = and_16(_mm_unpacklo_epi64(first, _mm_srli_epi16(first, 4)), 15);
  const __m128i last = _mm_set1_epi32(static_cast<int>(word_at(block.scales + 8)));
  const __m128i high = and_16(_mm_srlv_epi32(last, _mm_setr_epi32(0, 2, 4, 6)), 3);
  const __m128i six = _mm_or_si128(low, _mm_slli_epi16(high, 4));
  store_products_16(_mm_sub_epi8(six, _mm_set1_epi8(32)), scale_of(block.d), out.scale);
  keep_in_memory(out);
}
template <>
HEARTH_INLINE_MEMBER void read_scales<Dtype::iq4_xs>(const BlockIq4Xs& block, BlockScales<Dtype::iq4_xs>& out) {
  const __m128i bytes = _mm_cvtsi32_si128(static_cast<int>(word_at(block.scales_low)));
  const __m128i low = and_16(_mm_unpacklo_epi8(bytes, _mm_srli_epi16(bytes, 4)), 15);
  const __m256i high =
      _mm256_srlv_epi32(_mm256_set1_epi32(block.scales_high), _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14));
  const __m256i upper = _mm256_slli_epi32(_mm256_and_si256(high, _mm256_set1_epi32(3)), 4);
  const __m256i six = _mm256_sub_epi32(_mm256_or_si256(_mm256_cvtepu8_epi32(low), upper), _mm256_set1_epi32(32));
  _mm256_storeu_ps(out.scale, _mm256_mul_ps(_mm256_cvtepi32_ps(six), _mm256_set1_ps(scale_of(block.d))));
  keep_in_memory(out);
}
#undef HEARTH_INLINE_MEMBER

#endif

}  // namespace hearth::HEARTH_ISA
