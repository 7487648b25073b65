// c [64,64] = a [64,K] · b [64,K]ᵀ with tensor cores: 256 threads, depth 32 at a time through shared memory.
#pragma once

#include "runtime/kernels/weight_dot.cuh"

namespace hearth::HEARTH_GPU {

inline constexpr int kTensorTile = 64, kTensorThreads = 256, kTensorDepth = 32;

// What a thread holds of c: sum[n][e] is the element (row(e), col(n, e)). Warps are four times two, of 16 x 32.
struct TensorTile {
  float sum[4][4] = {};
  int lane = static_cast<int>(threadIdx.x) % kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
  __device__ int row(int e) const { return warp / 2 * 16 + lane / 4 + e / 2 * 8; }
  __device__ int col(int n, int e) const { return warp % 2 * 32 + n * 8 + lane % 4 * 2 + e % 2; }
};

struct alignas(16) TensorOperand {
  uint16_t rows[kTensorTile][kTensorDepth + 8];  // 8 more: eight rows of ldmatrix lie in different banks
};

// A thread's eight numbers of an operand. load(row, k, out): elements k to k + 7 of a row, zero beyond K.
template <class Load>
__device__ void fill_operand(TensorOperand& operand, int64_t k0, Load load) {
  const int row = static_cast<int>(threadIdx.x) / 4, k = static_cast<int>(threadIdx.x) % 4 * kChunk;
  float numbers[kChunk];
  load(row, k0 + k, numbers);
  for (int j = 0; j < kChunk; ++j) operand.rows[row][k + j] = float_to_bf16(numbers[j]);
}

template <class LoadA, class LoadB>
__device__ TensorTile multiply_tensor_tile(int64_t K, LoadA load_a, LoadB load_b) {
  HEARTH_SHARED(a, TensorOperand);
  HEARTH_SHARED(b, TensorOperand);
  TensorTile c;
  for (int64_t k0 = 0; k0 < K; k0 += kTensorDepth) {
    fill_operand(a, k0, load_a);
    fill_operand(b, k0, load_b);
    __syncthreads();
    uint32_t left[2][4];
#pragma unroll
    for (int half = 0; half < 2; ++half)
      load_matrices_4(left[half], &a.rows[c.warp / 2 * 16 + c.lane % 16][half * 16 + c.lane / 16 * 8]);
#pragma unroll
    for (int n = 0; n < 4; ++n) {
      uint32_t right[4];
      load_matrices_4(right, &b.rows[c.warp % 2 * 32 + n * 8 + c.lane % 8][c.lane / 8 * 8]);
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const uint32_t of_half[2] = {right[2 * half], right[2 * half + 1]};
        mma_bf16(c.sum[n], left[half], of_half);
      }
    }
    __syncthreads();
  }
  return c;
}

}  // namespace hearth::HEARTH_GPU
