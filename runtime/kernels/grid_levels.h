// byte_levels() of the formats whose levels are looked up or computed by eights: the IQ grids and ternary numbers. As
// in byte_levels.h, elements [32g, 32g + 32) of a block; IQ1's are in eighths.
#pragma once

#include "runtime/kernels/byte_levels.h"

#if HEARTH_ISA_LEVEL > 0

namespace hearth::HEARTH_ISA {

// ---- signs ----

// Minus where its bit of 32 is set.
HEARTH_INLINE Bytes with_signs(Bytes levels, uint32_t bits) {
  const Bytes minus = where_bit(bits, 0xff);
  return _mm256_sub_epi8(_mm256_xor_si256(levels, minus), minus);
}
// Seven sign bits to eight, as sign_of().
HEARTH_INLINE uint32_t eight_signs(uint32_t seven_bits) {
  return seven_bits | static_cast<uint32_t>(__builtin_parity(seven_bits)) << 7;
}
// Four times seven sign bits, from the lowest.
HEARTH_INLINE uint32_t signs_of_28(uint32_t word) {
  uint32_t out = 0;
  for (int part = 0; part < 4; ++part) out |= eight_signs((word >> (7 * part)) & 127) << (8 * part);
  return out;
}

// ---- points ----

template <int n>
HEARTH_INLINE long long eight_at(const Grid<n, 8>& grid, int index) {
  long long point;
  memcpy(&point, grid.point[index], 8);
  return point;
}
template <int n>
HEARTH_INLINE int four_at(const Grid<n, 4>& grid, int index) {
  int point;
  memcpy(&point, grid.point[index], 4);
  return point;
}
template <int n, class IndexOf>
HEARTH_INLINE Bytes four_points(const Grid<n, 8>& grid, IndexOf index_of) {
  return _mm256_setr_epi64x(eight_at(grid, index_of(0)), eight_at(grid, index_of(1)), eight_at(grid, index_of(2)),
                            eight_at(grid, index_of(3)));
}
template <int n, class IndexOf>
HEARTH_INLINE Bytes eight_points(const Grid<n, 4>& grid, IndexOf index_of) {
  return _mm256_setr_epi32(four_at(grid, index_of(0)), four_at(grid, index_of(1)), four_at(grid, index_of(2)),
                           four_at(grid, index_of(3)), four_at(grid, index_of(4)), four_at(grid, index_of(5)),
                           four_at(grid, index_of(6)), four_at(grid, index_of(7)));
}

HEARTH_INLINE Bytes byte_levels(const BlockIq2Xxs& b, int g) {
  const uint8_t* q = b.q + g * 8;
  const Bytes points = four_points(kGridIq2Xxs, [&](int i) { return q[i]; });
  return with_signs(points, signs_of_28(word_at(q + 4)));
}
HEARTH_INLINE Bytes byte_levels(const BlockIq2Xs& b, int g) {
  const uint16_t* q = b.q + g * 4;
  uint32_t signs = 0;
  for (int i = 0; i < 4; ++i) signs |= eight_signs(q[i] >> 9) << (8 * i);
  return with_signs(four_points(kGridIq2Xs, [&](int i) { return q[i] & 511; }), signs);
}
HEARTH_INLINE Bytes byte_levels(const BlockIq2S& b, int g) {
  const auto index = [&](int i) { return b.q[g * 4 + i] | ((b.high[g] >> (2 * i)) & 3) << 8; };
  return with_signs(four_points(kGridIq2S, index), word_at(b.signs + g * 4));
}
HEARTH_INLINE Bytes byte_levels(const BlockIq3Xxs& b, int g) {
  const Bytes points = eight_points(kGridIq3Xxs, [&](int i) { return b.q[g * 8 + i]; });
  return with_signs(points, signs_of_28(word_at(b.words + g * 4)));
}
HEARTH_INLINE Bytes byte_levels(const BlockIq3S& b, int g) {
  const auto index = [&](int i) { return b.q[g * 8 + i] | ((b.high[g] >> i) & 1) << 8; };
  return with_signs(eight_points(kGridIq3S, index), word_at(b.signs + g * 4));
}

// ---- IQ1: point ± 1/8 ----

HEARTH_INLINE Bytes eighths(Bytes points, Bytes shift) {  // points are -1, 0 or 1
  const Bytes twice = _mm256_add_epi8(points, points), four_times = _mm256_add_epi8(twice, twice);
  return _mm256_add_epi8(_mm256_add_epi8(four_times, four_times), shift);
}
HEARTH_INLINE Bytes byte_levels(const BlockIq1S& b, int g) {
  const int high = b.high[g];
  const auto index = [&](int i) { return b.q[g * 4 + i] | ((high >> (3 * i)) & 7) << 8; };
  return eighths(four_points(kGridIq1, index), all_bytes(high & 0x8000 ? -1 : 1));
}
HEARTH_INLINE Bytes byte_levels(const BlockIq1M& b, int g) {
  const auto high = [&](int i) { return half_byte(b.high, g * 4 + i); };
  const auto index = [&](int i) { return b.q[g * 4 + i] | (high(i) & 7) << 8; };
  const auto shift = [&](int i) { return high(i) & 8 ? -1LL : 0x0101010101010101LL; };
  return eighths(four_points(kGridIq1, index), _mm256_setr_epi64x(shift(0), shift(1), shift(2), shift(3)));
}

// ---- ternary ----

// ternary_digit() of 16 bytes, each with its own power of three.
HEARTH_INLINE __m128i ternary_digits(__m128i bytes, __m256i powers) {
  const __m256i fraction =
      _mm256_and_si256(_mm256_mullo_epi16(_mm256_cvtepu8_epi16(bytes), powers), _mm256_set1_epi16(255));
  const __m256i digits = _mm256_srli_epi16(_mm256_mullo_epi16(fraction, _mm256_set1_epi16(3)), 8);
  return _mm_packus_epi16(_mm256_castsi256_si128(digits), _mm256_extracti128_si256(digits, 1));
}
HEARTH_INLINE Bytes byte_levels(const BlockTq1& b, int g) {
  constexpr short kPowers[5] = {1, 3, 9, 27, 81};
  const auto digits = [&](const uint8_t* q, int power) {
    return ternary_digits(_mm_loadu_si128(reinterpret_cast<const __m128i*>(q)), _mm256_set1_epi16(kPowers[power]));
  };
  if (g < 5) return less(_mm256_set_m128i(digits(b.q + 16, g), digits(b.q, g)), 1);
  const uint8_t* q = b.q + 32;
  if (g < 7) return less(_mm256_set_m128i(digits(q, 2 * g - 9), digits(q, 2 * g - 10)), 1);
  const __m256i powers =
      _mm256_setr_epi64x(0x0001000100010001, 0x0003000300030003, 0x0009000900090009, 0x001b001b001b001b);
  const __m128i last = ternary_digits(_mm_set1_epi32(static_cast<int>(word_at(b.q_last))), powers);
  return less(_mm256_set_m128i(last, digits(q, 4)), 1);
}

}  // namespace hearth::HEARTH_ISA

#endif
