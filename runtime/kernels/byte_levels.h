// The levels of quantised blocks as bytes, 32 at a time: byte_levels(block, g) are those of elements [32g, 32g + 32),
// stored_levels(block, g) the same with kLevelBias added, as many formats have them. Only formats whose levels are
// bytes after a little arithmetic. Where g is a constant, so are the shifts.
#pragma once

#include <type_traits>

#include "runtime/kernels/simd.h"
#include "runtime/tensor/codecs/all.h"

#if HEARTH_ISA_LEVEL > 0

namespace hearth::HEARTH_ISA {

using Bytes = __m256i;

HEARTH_INLINE Bytes load_bytes(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
HEARTH_INLINE Bytes all_bytes(int value) {
  return _mm256_set1_epi8(static_cast<char>(value));
}
HEARTH_INLINE int32_t sum_of_16(const int8_t* q) {
  const __m256i pairs = _mm256_madd_epi16(_mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(q))),
                                          _mm256_set1_epi16(1));
  __m128i four = _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
  four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(four, _mm_shuffle_epi32(four, 0xb1)));
}
// Bit `from` of each byte becomes bit `to`, with those above it; only `mask` is kept.
HEARTH_INLINE Bytes moved_bits(Bytes bytes, int from, int to, int mask) {
  const Bytes moved = from >= to ? _mm256_srli_epi16(bytes, from - to) : _mm256_slli_epi16(bytes, to - from);
  return _mm256_and_si256(moved, all_bytes(mask));
}
HEARTH_INLINE Bytes either(Bytes a, Bytes b) {
  return _mm256_or_si256(a, b);
}
HEARTH_INLINE Bytes less(Bytes bytes, int n) {
  return _mm256_sub_epi8(bytes, all_bytes(n));
}
// As nibble_of_32().
HEARTH_INLINE Bytes nibbles_of_32(const uint8_t* q) {
  const Bytes twice = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(q)));
  return _mm256_and_si256(_mm256_srlv_epi32(twice, _mm256_setr_epi32(0, 0, 0, 0, 4, 4, 4, 4)), all_bytes(15));
}
// `value` in the bytes whose bit of 32 is set.
HEARTH_INLINE Bytes where_bit(uint32_t bits, int value) {
  const Bytes spread =
      _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(bits)),
                          _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303));
  const Bytes each = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201));
  return _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_and_si256(spread, each), each), all_bytes(value));
}
HEARTH_INLINE Bytes look_up(const int8_t (&table)[16], Bytes indices) {
  const __m128i levels = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(levels), indices);
}

alignas(16) constexpr int8_t kNonlinearLevels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                                     1,    13,   25,  38,  53,  69,  89,  113};
alignas(16) constexpr int8_t kE2m1Doubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
alignas(16) constexpr int8_t kE2m1From0[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0};

// What stored_levels() has more than the levels: it is never negative then. Signed formats have 0, and so have those
// whose levels begin at 0 and that have an offset.
template <class Block>
constexpr int level_bias() {
  if constexpr (std::is_same_v<Block, BlockQ4_0>) return 8;
  if constexpr (std::is_same_v<Block, BlockQ5_0>) return 16;
  if constexpr (std::is_same_v<Block, BlockQ3K>) return 4;
  if constexpr (std::is_same_v<Block, BlockQ6K>) return 32;
  if constexpr (std::is_same_v<Block, BlockMxfp4>) return 12;
  if constexpr (std::is_same_v<Block, BlockTq2>) return 1;
  return 0;
}
template <class Block>
constexpr int kLevelBias = level_bias<Block>();
template <class Block>
constexpr bool kHasSignedLevels = std::is_same_v<Block, BlockQ8_0> || std::is_same_v<Block, BlockI8x128> ||
                                  std::is_same_v<Block, BlockIq4Nl> || std::is_same_v<Block, BlockIq4Xs>;

HEARTH_INLINE Bytes stored_levels(const BlockQ8_0& b, int) {
  return load_bytes(b.q);
}
HEARTH_INLINE Bytes stored_levels(const BlockI8x128& b, int g) {
  return load_bytes(b.q + g * 32);
}
HEARTH_INLINE Bytes stored_levels(const BlockQ4_0& b, int) {
  return nibbles_of_32(b.q);
}
HEARTH_INLINE Bytes stored_levels(const BlockQ4_1& b, int) {
  return nibbles_of_32(b.q);
}
HEARTH_INLINE Bytes stored_levels(const BlockQ5_0& b, int) {
  return either(nibbles_of_32(b.q), where_bit(word_at(b.high), 16));
}
HEARTH_INLINE Bytes stored_levels(const BlockQ5_1& b, int) {
  return either(nibbles_of_32(b.q), where_bit(word_at(b.high), 16));
}
HEARTH_INLINE Bytes stored_levels(const BlockQ2K& b, int g) {
  return moved_bits(load_bytes(b.q + g / 4 * 32), g % 4 * 2, 0, 3);
}
HEARTH_INLINE Bytes stored_levels(const BlockQ3K& b, int g) {
  const Bytes low = moved_bits(load_bytes(b.q + g / 4 * 32), g % 4 * 2, 0, 3);
  return either(low, moved_bits(load_bytes(b.high), g, 2, 4));
}
HEARTH_INLINE Bytes stored_levels(const BlockQ4K& b, int g) {
  return moved_bits(load_bytes(b.q + g / 2 * 32), g % 2 * 4, 0, 15);
}
HEARTH_INLINE Bytes stored_levels(const BlockQ5K& b, int g) {
  const Bytes low = moved_bits(load_bytes(b.q + g / 2 * 32), g % 2 * 4, 0, 15);
  return either(low, moved_bits(load_bytes(b.high), g, 4, 16));
}
HEARTH_INLINE Bytes stored_levels(const BlockQ6K& b, int g) {
  const Bytes low = moved_bits(load_bytes(b.q + g / 4 * 64 + g % 2 * 32), g % 4 / 2 * 4, 0, 15);
  return either(low, moved_bits(load_bytes(b.high + g / 4 * 32), g % 4 * 2, 4, 48));
}
HEARTH_INLINE Bytes stored_levels(const BlockIq4Nl& b, int) {
  return look_up(kNonlinearLevels, nibbles_of_32(b.q));
}
HEARTH_INLINE Bytes stored_levels(const BlockIq4Xs& b, int g) {
  return look_up(kNonlinearLevels, nibbles_of_32(b.q + g * 16));
}
HEARTH_INLINE Bytes stored_levels(const BlockMxfp4& b, int) {
  return look_up(kE2m1From0, nibbles_of_32(b.q));
}
HEARTH_INLINE Bytes stored_levels(const BlockTq2& b, int g) {
  return moved_bits(load_bytes(b.q + g / 4 * 32), g % 4 * 2, 0, 3);
}

template <class Block>
HEARTH_INLINE Bytes byte_levels(const Block& block, int g) {
  if constexpr (kLevelBias<Block> == 0)
    return stored_levels(block, g);
  else
    return less(stored_levels(block, g), kLevelBias<Block>);
}

}  // namespace hearth::HEARTH_ISA

#endif
