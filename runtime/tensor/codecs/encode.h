// From floats to every dtype that can be encoded: one function a block, by family of formats.
#pragma once

#include <algorithm>
#include <cmath>

#include "runtime/tensor/codecs/all.h"

namespace hearth {

// n elements, whole blocks. What from_float() calls.
void encode_rows(Dtype to, const float* source, void* out, int64_t n);

// One block each; x has as many elements as the block.
void encode(const float* x, BlockQ8_0& block);
void encode(const float* x, BlockQ4_0& block);
void encode(const float* x, BlockQ4_1& block);
void encode(const float* x, BlockQ5_0& block);
void encode(const float* x, BlockQ5_1& block);
void encode(const float* x, BlockQ2K& block);
void encode(const float* x, BlockQ3K& block);
void encode(const float* x, BlockQ4K& block);
void encode(const float* x, BlockQ5K& block);
void encode(const float* x, BlockQ6K& block);
void encode(const float* x, BlockIq4Nl& block);
void encode(const float* x, BlockIq4Xs& block);
void encode(const float* x, BlockTq1& block);
void encode(const float* x, BlockTq2& block);
void encode(const float* x, BlockMxfp4& block);
void encode(const float* x, BlockF8x128& block);
void encode(const float* x, BlockI8x128& block);
void encode(const float* x, BlockNf4& block);

inline float largest_magnitude(const float* x, int n) {
  float largest = 0;
  for (int i = 0; i < n; ++i) largest = std::max(largest, std::fabs(x[i]));
  return largest;
}
inline float inverse_or_zero(float x) {
  return x != 0 ? 1.0f / x : 0.0f;
}
// A number that is not one (NaN, infinity) must not become undefined behaviour.
inline int clamped_int(float x, int low, int high) {
  return x >= static_cast<float>(low) ? (x <= static_cast<float>(high) ? static_cast<int>(x) : high) : low;
}
inline int rounded(float x, int low, int high) {
  return clamped_int(std::nearbyint(x), low, high);
}

}  // namespace hearth
