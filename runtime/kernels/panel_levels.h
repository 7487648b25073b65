// What a panel's block column holds, for all its rows at once: levels as bytes, four of each row to a lane; scales and
// offsets, one of each row to a lane. A field that begins at byte n of a block begins at byte n * kLanes here.
//
//   levels(p, g, in_step, c)   elements [32g + 4c, 32g + 4c + 4) with kLevelBias added: never negative
//   begin(p)          what is read once for a block; scale(p, begun, g, half), offset(p, begun, g) of group g
#pragma once

#include <cstddef>

#include "runtime/kernels/byte_levels.h"
#include "runtime/kernels/simd.h"

#if HEARTH_ISA_LEVEL > 0

namespace hearth::HEARTH_ISA {

// Four bytes of each of kLanes rows; pairs of bytes where they are shifted.
using Quads = uint16_t __attribute__((vector_size(kLanes * 4)));

HEARTH_INLINE Quads load_quads(const char* p) {
  Quads v;
  memcpy(&v, p, sizeof v);
  return v;
}
HEARTH_INLINE Quads low_nibbles(Quads v) {
  return v & 0x0f0f;
}
HEARTH_INLINE Quads high_nibbles(Quads v) {
  return (v >> 4) & 0x0f0f;
}
// One byte of each row.
HEARTH_INLINE IntVec load_lanes_u8(const char* p) {
#if HEARTH_ISA_LEVEL == 2
  return reinterpret_cast<IntVec>(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#else
  return reinterpret_cast<IntVec>(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
#endif
}
HEARTH_INLINE Vec as_floats(IntVec v) {
  return __builtin_convertvector(v, Vec);
}
HEARTH_INLINE Vec load_lanes_f16(const char* p) {
  return load_f16(reinterpret_cast<const uint16_t*>(p));
}

#define HEARTH_MEMBER inline __attribute__((always_inline))
// kStep: groups that are written out one after the other, where their place decides about shifts.
template <Dtype dtype>
struct PanelColumn;

template <>
struct PanelColumn<Dtype::q4_0> {
  static constexpr int kStep = 1, kMostLevel = 15;
  using Begun = Vec;
  static HEARTH_MEMBER Begun begin(const char* p) { return load_lanes_f16(p); }
  static HEARTH_MEMBER Vec scale(const char*, const Begun& d, int, int) { return d; }
  static HEARTH_MEMBER Quads levels(const char* p, int, int, int c) {
    const Quads both = load_quads(p + (offsetof(BlockQ4_0, q) + c % 4 * 4) * kLanes);
    return c < 4 ? low_nibbles(both) : high_nibbles(both);
  }
};

template <>
struct PanelColumn<Dtype::mxfp4> {
  static constexpr int kStep = 1, kMostLevel = 24;
  using Begun = Vec;
  // Half of 2^(exponent - 127): levels are doubled. The smallest powers become 0.
  static HEARTH_MEMBER Begun begin(const char* p) {
    const IntVec exponent = load_lanes_u8(p);
    return as_float((exponent - (exponent > 0 ? splat_int(1) : splat_int(0))) << 23);
  }
  static HEARTH_MEMBER Vec scale(const char*, const Begun& d, int, int) { return d; }
  static HEARTH_MEMBER Quads levels(const char* p, int, int, int c) {
    const Quads both = load_quads(p + (offsetof(BlockMxfp4, q) + c % 4 * 4) * kLanes);
    return looked_up(c < 4 ? low_nibbles(both) : high_nibbles(both));
  }
  static HEARTH_MEMBER Quads looked_up(Quads indices) {
    const __m128i table = _mm_load_si128(reinterpret_cast<const __m128i*>(kE2m1From0));
#if HEARTH_ISA_LEVEL == 2
    return reinterpret_cast<Quads>(
        _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), reinterpret_cast<__m512i>(indices)));
#else
    return reinterpret_cast<Quads>(
        _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), reinterpret_cast<__m256i>(indices)));
#endif
  }
};

// Scales and minima of six bits.
template <class Block>
struct SixBitColumn {
  struct Begun {
    Vec d, dmin;
  };
  static HEARTH_MEMBER Begun begin(const char* p) {
    return {load_lanes_f16(p), load_lanes_f16(p + offsetof(Block, dmin) * kLanes)};
  }
  static HEARTH_MEMBER IntVec six_bits(const char* p, int i) {
    return load_lanes_u8(p + (offsetof(Block, scales) + static_cast<size_t>(i)) * kLanes);
  }
  // As scale_of_8() and minimum_of_8().
  static HEARTH_MEMBER Vec scale(const char* p, const Begun& begun, int g, int) {
    const IntVec six = g < 4 ? six_bits(p, g) & 63 : (six_bits(p, g + 4) & 15) | ((six_bits(p, g - 4) >> 6) << 4);
    return begun.d * as_floats(six);
  }
  static HEARTH_MEMBER Vec offset(const char* p, const Begun& begun, int g) {
    const IntVec six = g < 4 ? six_bits(p, g + 4) & 63 : (six_bits(p, g + 4) >> 4) | ((six_bits(p, g) >> 6) << 4);
    return -(begun.dmin * as_floats(six));
  }
  static HEARTH_MEMBER Quads nibbles(const char* p, int g, int in_step, int c) {
    const Quads both = load_quads(p + (offsetof(Block, q) + static_cast<size_t>(g / 2 * 32 + c * 4)) * kLanes);
    return in_step == 0 ? low_nibbles(both) : high_nibbles(both);
  }
};

template <>
struct PanelColumn<Dtype::q4_k> : SixBitColumn<BlockQ4K> {
  static constexpr int kStep = 2, kMostLevel = 15;
  static HEARTH_MEMBER Quads levels(const char* p, int g, int in_step, int c) { return nibbles(p, g, in_step, c); }
};

template <>
struct PanelColumn<Dtype::q5_k> : SixBitColumn<BlockQ5K> {
  static constexpr int kStep = 2, kMostLevel = 31;
  static HEARTH_MEMBER Quads levels(const char* p, int g, int in_step, int c) {
    const Quads high = load_quads(p + (offsetof(BlockQ5K, high) + static_cast<size_t>(c * 4)) * kLanes);
    return nibbles(p, g, in_step, c) | (((high >> g) & 0x0101) << 4);
  }
};

template <>
struct PanelColumn<Dtype::q6_k> {
  static constexpr int kStep = 4, kMostLevel = 63;
  using Begun = Vec;
  static HEARTH_MEMBER Begun begin(const char* p) { return load_lanes_f16(p + offsetof(BlockQ6K, d) * kLanes); }
  static HEARTH_MEMBER Vec scale(const char* p, const Begun& d, int g, int half) {
    const char* at = p + (offsetof(BlockQ6K, scales) + static_cast<size_t>(2 * g + half)) * kLanes;
    return d * load_i8(reinterpret_cast<const int8_t*>(at));
  }
  static HEARTH_MEMBER Quads levels(const char* p, int g, int in_step, int c) {
    const int low_at = g / 4 * 64 + in_step % 2 * 32 + c * 4, high_at = g / 4 * 32 + c * 4, shift = in_step * 2;
    const Quads low = load_quads(p + (offsetof(BlockQ6K, q) + static_cast<size_t>(low_at)) * kLanes);
    const Quads high = load_quads(p + (offsetof(BlockQ6K, high) + static_cast<size_t>(high_at)) * kLanes);
    return (in_step < 2 ? low_nibbles(low) : high_nibbles(low)) |
           ((shift < 4 ? high << (4 - shift) : high >> (shift - 4)) & 0x3030);
  }
};

#undef HEARTH_MEMBER

}  // namespace hearth::HEARTH_ISA

#endif
