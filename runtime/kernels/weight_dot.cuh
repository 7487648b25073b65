// A warp's dot products of a few rows of activations with rows of weights of any dtype: each weight is read once, eight
// neighbouring ones a lane, so that a warp reads 256 of a row together, and is widened in registers.
#pragma once

#include "runtime/kernels/cuda_common.cuh"

namespace hearth::HEARTH_GPU {

inline constexpr int kChunk = 8;

// Of float and Bf16.
template <class A>
inline constexpr Dtype kDtypeOf = std::is_same_v<A, Bf16> ? Dtype::bf16 : Dtype::f32;

struct alignas(16) Bytes16 {
  uint32_t words[4];
};

// One load instruction; `at` is 16-byte aligned.
__device__ inline Bytes16 load_16_bytes(const void* at) {
  Bytes16 out;
  memcpy(&out, __builtin_assume_aligned(at, 16), sizeof(out));
  return out;
}

constexpr bool is_plain(Dtype dtype) {
  return dtype == Dtype::f32 || dtype == Dtype::f16 || dtype == Dtype::bf16;
}

// May rows of `cols` elements be read with wide loads?
inline bool has_wide_rows(Dtype dtype, const void* data, int64_t cols) {
  return cols % kChunk == 0 && (!is_plain(dtype) || reinterpret_cast<uintptr_t>(data) % 16 == 0);
}

// Elements [i, i + 8) of a plain dtype; i is a multiple of 8 and `data` aligned.
template <Dtype dtype>
__device__ void load_plain_chunk(const void* data, int64_t i, float (&out)[kChunk]) {
  if constexpr (dtype == Dtype::f32) {
    const float* from = static_cast<const float*>(data) + i;
    const Bytes16 halves[2] = {load_16_bytes(from), load_16_bytes(from + 4)};
    for (int j = 0; j < kChunk; ++j) out[j] = bits_to_float(halves[j / 4].words[j % 4]);
  } else {
    const Bytes16 all = load_16_bytes(static_cast<const uint16_t*>(data) + i);
    for (int j = 0; j < kChunk; ++j) {
      const auto bits = static_cast<uint16_t>(all.words[j / 2] >> (16 * (j % 2)));
      out[j] = dtype == Dtype::bf16 ? bf16_to_float(bits) : f16_to_float(bits);
    }
  }
}

// Elements [i, i + 8) of a quantised dtype, which one sub-block holds; i is a multiple of 8.
template <Dtype dtype>
__device__ void load_quantised_chunk(const void* data, int64_t i, float (&out)[kChunk]) {
  static_assert(Codec<dtype>::kSub % kChunk == 0);
  const auto& block = static_cast<const typename Codec<dtype>::Block*>(data)[i / Codec<dtype>::kElements];
  const int first = static_cast<int>(i % Codec<dtype>::kElements) / kChunk * kChunk;
  for (int j = 0; j < kChunk; ++j) out[j] = block_value<dtype>(block, first + j);
}

// Elements [i, i + 8) of those below `end`, zero beyond.
template <Dtype dtype>
__device__ void load_chunk(const void* data, int64_t i, int64_t end, bool is_wide, float (&out)[kChunk]) {
  if constexpr (!is_plain(dtype)) {
    load_quantised_chunk<dtype>(data, i, out);
  } else if (is_wide) {
    load_plain_chunk<dtype>(data, i, out);
  } else {
    for (int j = 0; j < kChunk; ++j) out[j] = i + j < end ? weight_at<dtype>(data, i + j) : 0.0f;
  }
}

// n_rows rows of activations against n_cols rows of weights, which are columns of the result.
template <int M, int R>
struct DotSums {
  float sum[R][M] = {};
};

// Sums of a warp, each whole in every lane: x rows 0..n_x of M at x[m · K], weight rows of R at w[(row + r) · K]. Rows
// beyond n_x, n_w repeat the last. The order of a row's terms depends on K alone.
template <Dtype x_dtype, Dtype w_dtype, int M, int R>
__device__ DotSums<M, R> dot_rows(const void* x, int n_x, const void* w, int64_t row, int64_t n_w, int64_t K,
                                  bool is_wide) {
  DotSums<M, R> out;
  for (int64_t k = static_cast<int64_t>(threadIdx.x % kWarp) * kChunk; k < K; k += kWarp * kChunk) {
    float weights[R][kChunk];
#pragma unroll
    for (int r = 0; r < R; ++r) {
      const int64_t begin = (row + (r < n_w ? r : n_w - 1)) * K;
      load_chunk<w_dtype>(w, begin + k, begin + K, is_wide, weights[r]);
    }
#pragma unroll
    for (int m = 0; m < M; ++m) {
      float terms[kChunk];
      const int64_t begin = (m < n_x ? m : n_x - 1) * K;
      load_chunk<x_dtype>(x, begin + k, begin + K, is_wide, terms);
#pragma unroll
      for (int r = 0; r < R; ++r)
        for (int j = 0; j < kChunk; ++j) out.sum[r][m] += weights[r][j] * terms[j];
    }
  }
#pragma unroll
  for (int r = 0; r < R; ++r)
#pragma unroll
    for (int m = 0; m < M; ++m) out.sum[r][m] = warp_sum(out.sum[r][m]);
  return out;
}

}  // namespace hearth::HEARTH_GPU
