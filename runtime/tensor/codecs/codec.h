// What a block-quantised dtype is: blocks of its elements along a row, each block with its own small numbers. Element i
// of a block is
//
//   scale(block, i / kSub) * level(block, i) [+ offset(block, i / kSub)]
//
// every product and sum rounded to float on its own, so that all paths (plain, vectors, GPU) give the same bits.
// A Codec<dtype> says how the three are read; it is host and device code unless kOnDevice is false.
#pragma once

#include <cstdint>

#include "runtime/tensor/dtype.h"
#include "runtime/tensor/scalar.h"

#ifdef __CUDACC__
#define HEARTH_CODEC static __host__ __device__ __forceinline__
#else
#define HEARTH_CODEC static inline __attribute__((always_inline, unused))
#endif

// Every block-quantised dtype, once; what is done for each is written HEARTH_QUANTISED(CASE).
#define HEARTH_QUANTISED(X)                                                                                        \
  X(q8_0)                                                                                                          \
  X(q4_0)                                                                                                          \
  X(q4_1)                                                                                                          \
  X(q5_0)                                                                                                          \
  X(q5_1)                                                                                                          \
  X(q2_k)                                                                                                          \
  X(q3_k)                                                                                                          \
  X(q4_k)                                                                                                          \
  X(q5_k) X(q6_k) X(iq4_nl) X(iq4_xs) X(iq1_s) X(iq1_m) X(iq2_xxs) X(iq2_xs) X(iq2_s) X(iq3_xxs) X(iq3_s) X(tq1_0) \
      X(tq2_0) X(mxfp4) X(f8x128) X(i8x128) X(nf4)

// Those of which products with 8-bit activations have kernels: levels are integers of up to 8 bits.
#define HEARTH_INTEGER_LEVELS(X) \
  X(q8_0) X(q4_0) X(q4_1) X(q5_0) X(q5_1) X(q2_k) X(q3_k) X(q4_k) X(q5_k) X(q6_k) X(iq4_nl) X(iq4_xs) X(mxfp4) X(i8x128)

namespace hearth {

template <Dtype dtype>
struct Codec;  // Block, kElements, kSub, kHasOffset, kOnDevice; scale(), level(), offset()

// How a half becomes a float; kernels pass the machine's own instruction.
struct SoftHalf {
  HEARTH_HD float operator()(uint16_t bits) const { return f16_to_float(bits); }
};

// What most codecs have in common.
template <class B, int elements, int sub>
struct CodecBase {
  using Block = B;
  static constexpr int kElements = elements, kSub = sub;
  static constexpr bool kHasOffset = false, kOnDevice = true;
};

HEARTH_CODEC float rounded_product(float a, float b) {
#ifdef __CUDA_ARCH__
  return __fmul_rn(a, b);
#else
  return a * b;
#endif
}

// One element; for code that has no better way.
template <Dtype dtype>
HEARTH_CODEC float block_value(const typename Codec<dtype>::Block& block, int i) {
  using C = Codec<dtype>;
  const float product = rounded_product(C::scale(block, i / C::kSub, SoftHalf{}), C::level(block, i));
  if constexpr (C::kHasOffset) {
#ifdef __CUDA_ARCH__
    return __fadd_rn(product, C::offset(block, i / C::kSub, SoftHalf{}));
#else
    return product + C::offset(block, i / C::kSub, SoftHalf{});
#endif
  } else {
    return product;
  }
}

// Of 32 four-bit numbers, the i-th: byte j holds element j (low half) and element j + 16 (high half).
HEARTH_CODEC int nibble_of_32(const uint8_t* q, int i) {
  return i < 16 ? q[i] & 15 : q[i - 16] >> 4;
}

}  // namespace hearth
