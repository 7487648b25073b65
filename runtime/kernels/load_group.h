// Quantised blocks into registers: load_group<dtype>(block, g, v) gives elements [32g, 32g + 32) of a block as floats.
// The plain way is any codec's; the formats that matter for speed have their levels unpacked 32 at a time.
#pragma once

#include "runtime/kernels/simd.h"
#include "runtime/tensor/codecs/all.h"

namespace hearth::HEARTH_ISA {

constexpr int kBlockVecs = kQuantBlock / kLanes;

struct MachineHalf {
  HEARTH_INLINE float convert(uint16_t bits) { return scale_of(bits); }
  inline __attribute__((always_inline)) float operator()(uint16_t bits) const { return convert(bits); }
};

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

// Levels become values.
template <Dtype dtype>
HEARTH_INLINE void apply_scales(const typename Codec<dtype>::Block& block, int g, Vec (&v)[kBlockVecs]) {
  using C = Codec<dtype>;
  for (int i = 0; i < kBlockVecs; ++i) {
    const int sub = (g * kQuantBlock + i * kLanes) / C::kSub;
    v[i] = as_rounded(v[i] * splat(C::scale(block, sub, MachineHalf{})));
    if constexpr (C::kHasOffset) v[i] += splat(C::offset(block, sub, MachineHalf{}));
  }
}

template <Dtype dtype>
HEARTH_INLINE void load_levels(const typename Codec<dtype>::Block& block, int g, Vec (&v)[kBlockVecs]) {
  float levels[kQuantBlock];
  for (int i = 0; i < kQuantBlock; ++i) levels[i] = Codec<dtype>::level(block, g * kQuantBlock + i);
  for (int i = 0; i < kBlockVecs; ++i) v[i] = load(levels + i * kLanes);
}

#if HEARTH_ISA_LEVEL > 0

using Bytes = __m256i;  // 32 levels

HEARTH_INLINE Bytes load_bytes(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
HEARTH_INLINE Bytes all_bytes(int value) {
  return _mm256_set1_epi8(static_cast<char>(value));
}
// The byte shifted right by n, of which only `mask` is kept.
HEARTH_INLINE Bytes shifted(Bytes bytes, int n, int mask) {
  return _mm256_and_si256(_mm256_srl_epi16(bytes, _mm_cvtsi32_si128(n)), all_bytes(mask));
}
HEARTH_INLINE Bytes shifted_up(Bytes bytes, int n) {  // bits that leave a byte must be clear
  return _mm256_sll_epi16(bytes, _mm_cvtsi32_si128(n));
}
HEARTH_INLINE Bytes either(Bytes a, Bytes b) {
  return _mm256_or_si256(a, b);
}
HEARTH_INLINE Bytes less(Bytes bytes, int n) {
  return _mm256_sub_epi8(bytes, all_bytes(n));
}
// As nibble_of_32().
HEARTH_INLINE Bytes nibbles_of_32(const uint8_t* q) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(q));
  return _mm256_and_si256(_mm256_set_m128i(_mm_srli_epi16(bytes, 4), bytes), all_bytes(15));
}
// `value` in the bytes whose bit of 32 is set.
HEARTH_INLINE Bytes where_bit(const uint8_t* bits, int value) {
  const Bytes spread =
      _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(word_at(bits))),
                          _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303));
  const Bytes each = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201));
  return _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_and_si256(spread, each), each), all_bytes(value));
}
HEARTH_INLINE Bytes look_up(const int8_t (&table)[16], Bytes indices) {
  const __m128i levels = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
  return _mm256_shuffle_epi8(_mm256_set_m128i(levels, levels), indices);
}

HEARTH_INLINE void signed_to_floats(Bytes bytes, Vec (&v)[kBlockVecs]) {
  const __m128i low = _mm256_castsi256_si128(bytes), high = _mm256_extracti128_si256(bytes, 1);
#if HEARTH_ISA_LEVEL == 2
  v[0] = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(low));
  v[1] = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(high));
#else
  v[0] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(low));
  v[1] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(low, 8)));
  v[2] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(high));
  v[3] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(high, 8)));
#endif
}

constexpr int8_t kNonlinearLevels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
constexpr int8_t kE2m1Doubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

// Where the levels of group g are bytes after a little arithmetic.
HEARTH_INLINE Bytes byte_levels(const BlockQ8_0& b, int) {
  return load_bytes(b.q);
}
HEARTH_INLINE Bytes byte_levels(const BlockI8x128& b, int g) {
  return load_bytes(b.q + g * 32);
}
HEARTH_INLINE Bytes byte_levels(const BlockQ4_0& b, int) {
  return less(nibbles_of_32(b.q), 8);
}
HEARTH_INLINE Bytes byte_levels(const BlockQ4_1& b, int) {
  return nibbles_of_32(b.q);
}
HEARTH_INLINE Bytes byte_levels(const BlockQ5_0& b, int) {
  return less(either(nibbles_of_32(b.q), where_bit(b.high, 16)), 16);
}
HEARTH_INLINE Bytes byte_levels(const BlockQ5_1& b, int) {
  return either(nibbles_of_32(b.q), where_bit(b.high, 16));
}
HEARTH_INLINE Bytes byte_levels(const BlockQ2K& b, int g) {
  return shifted(load_bytes(b.q + g / 4 * 32), g % 4 * 2, 3);
}
HEARTH_INLINE Bytes byte_levels(const BlockQ3K& b, int g) {
  const Bytes low = shifted(load_bytes(b.q + g / 4 * 32), g % 4 * 2, 3), high = shifted(load_bytes(b.high), g, 1);
  return less(either(low, shifted_up(high, 2)), 4);
}
HEARTH_INLINE Bytes byte_levels(const BlockQ4K& b, int g) {
  return shifted(load_bytes(b.q + g / 2 * 32), g % 2 * 4, 15);
}
HEARTH_INLINE Bytes byte_levels(const BlockQ5K& b, int g) {
  return either(shifted(load_bytes(b.q + g / 2 * 32), g % 2 * 4, 15), shifted_up(shifted(load_bytes(b.high), g, 1), 4));
}
HEARTH_INLINE Bytes byte_levels(const BlockQ6K& b, int g) {
  const Bytes low = shifted(load_bytes(b.q + g / 4 * 64 + g % 2 * 32), g % 4 / 2 * 4, 15);
  return less(either(low, shifted_up(shifted(load_bytes(b.high + g / 4 * 32), g % 4 * 2, 3), 4)), 32);
}
HEARTH_INLINE Bytes byte_levels(const BlockIq4Nl& b, int) {
  return look_up(kNonlinearLevels, nibbles_of_32(b.q));
}
HEARTH_INLINE Bytes byte_levels(const BlockIq4Xs& b, int g) {
  return look_up(kNonlinearLevels, nibbles_of_32(b.q + g * 16));
}
HEARTH_INLINE Bytes byte_levels(const BlockMxfp4& b, int) {
  return look_up(kE2m1Doubled, nibbles_of_32(b.q));
}
HEARTH_INLINE Bytes byte_levels(const BlockTq2& b, int g) {
  return less(shifted(load_bytes(b.q + g / 4 * 32), g % 4 * 2, 3), 1);
}

#define HEARTH_BYTE_LEVELS(X) \
  X(q8_0)                     \
  X(i8x128)                   \
  X(q4_0) X(q4_1) X(q5_0) X(q5_1) X(q2_k) X(q3_k) X(q4_k) X(q5_k) X(q6_k) X(iq4_nl) X(iq4_xs) X(mxfp4) X(tq2_0)
#define HEARTH_LOAD(T)                                                                                 \
  template <>                                                                                          \
  HEARTH_INLINE_MEMBER void load_levels<Dtype::T>(const typename Codec<Dtype::T>::Block& block, int g, \
                                                  Vec(&v)[kBlockVecs]) {                               \
    signed_to_floats(byte_levels(block, g), v);                                                        \
  }
#define HEARTH_INLINE_MEMBER inline __attribute__((always_inline))
HEARTH_BYTE_LEVELS(HEARTH_LOAD)
#undef HEARTH_LOAD
#undef HEARTH_INLINE_MEMBER
#undef HEARTH_BYTE_LEVELS

#endif

template <Dtype dtype>
HEARTH_INLINE void load_group(const typename Codec<dtype>::Block& block, int g, Vec (&v)[kBlockVecs]) {
  load_levels<dtype>(block, g, v);
  apply_scales<dtype>(block, g, v);
}

}  // namespace hearth::HEARTH_ISA
