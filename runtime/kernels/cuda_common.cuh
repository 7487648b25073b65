// What the ops' cuda.cu share: launch geometry, reductions in a fixed order, and reading a weight of any dtype.
#pragma once

#include <cstdint>

#include "runtime/backend/cuda_language.cuh"
#include "runtime/backend/kernel.h"
#include "runtime/tensor/codecs/all.h"
#include "runtime/tensor/scalar.h"

namespace hearth::HEARTH_GPU {

// What an op's cuda.cu specialises for its class; ops/cuda_kernels.cpp puts all of them into a table.
template <class O>
Kernel kernel_for(const O& op, Types inputs);

inline Stream stream_of(const Worker& me) {
  return static_cast<Stream>(me.queue);
}

inline constexpr int kBlock = 256;  // threads of a block where nothing else decides
inline constexpr int kWarp = 32;
inline constexpr size_t kSharedBytes = 99 << 10;  // that a block may have on GPUs from compute capability 8.6 on

inline unsigned blocks_for(int64_t n, int64_t per_block = kBlock) {
  return static_cast<unsigned>(n == 0 ? 1 : (n + per_block - 1) / per_block);
}

__device__ inline int64_t thread_index() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

__device__ inline float warp_sum(float x) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2) x += __shfl_xor_sync(0xffffffffu, x, offset);
  return x;
}
__device__ inline float warp_max(float x) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2) x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, offset));
  return x;
}

// Over a block of whole warps, at most 1024 threads; every thread gets the result. Ends with a barrier.
template <class WarpReduce>
__device__ inline float block_reduce(float x, float identity, WarpReduce reduce) {
  HEARTH_SHARED(parts, float[kWarp]);
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp, n_warps = blockDim.x / kWarp;
  x = reduce(x);
  if (lane == 0) parts[warp] = x;
  __syncthreads();
  x = reduce(lane < n_warps ? parts[lane] : identity);
  __syncthreads();
  return x;
}
__device__ inline float block_sum(float x) {
  return block_reduce(x, 0.0f, warp_sum);
}
__device__ inline float block_max(float x) {
  return block_reduce(x, -INFINITY, warp_max);
}

// An element of bf16 activations: a kernel over `class A` reads and writes arrays of float and of these alike, and
// computes in float.
struct Bf16 {
  uint16_t bits;
  __device__ operator float() const { return bf16_to_float(bits); }
  __device__ Bf16& operator=(float value) {
    bits = float_to_bf16(value);
    return *this;
  }
};

// Calls body.template operator()<float>() or <Bf16>() for a run-time dtype of activations.
template <class Body>
void with_activations(Dtype dtype, Body body) {
  if (dtype == Dtype::bf16) return body.template operator()<Bf16>();
  body.template operator()<float>();
}

// Element i of a tensor of a weight dtype.
template <Dtype dtype>
__device__ inline float weight_at(const void* data, int64_t i) {
  if constexpr (dtype == Dtype::f32) return static_cast<const float*>(data)[i];
  if constexpr (dtype == Dtype::f16) return f16_to_float(static_cast<const uint16_t*>(data)[i]);
  if constexpr (dtype == Dtype::bf16) return bf16_to_float(static_cast<const uint16_t*>(data)[i]);
  if constexpr (dtype >= Dtype::q8_0)
    return block_value<dtype>(static_cast<const typename Codec<dtype>::Block*>(data)[i / Codec<dtype>::kElements],
                              static_cast<int>(i % Codec<dtype>::kElements));
  return 0;
}

// The weight dtypes that kernels read here: all but those whose codec needs tables, which a kernel declines.
inline bool reads_on_device(Dtype dtype) {
  switch (dtype) {
#define HEARTH_ON_DEVICE(T) \
  case Dtype::T:            \
    return Codec<Dtype::T>::kOnDevice;
    HEARTH_QUANTISED(HEARTH_ON_DEVICE)
#undef HEARTH_ON_DEVICE
    default:
      return dtype != Dtype::i32;
  }
}

// Calls body.template operator()<dtype>() for a run-time weight dtype.
template <class Body>
void with_weight_dtype(Dtype dtype, Body body) {
  switch (dtype) {
    case Dtype::f32:
      return body.template operator()<Dtype::f32>();
    case Dtype::f16:
      return body.template operator()<Dtype::f16>();
    case Dtype::bf16:
      return body.template operator()<Dtype::bf16>();
#define HEARTH_DISPATCH(T)                                                          \
  case Dtype::T:                                                                    \
    if constexpr (Codec<Dtype::T>::kOnDevice) body.template operator()<Dtype::T>(); \
    return;
      HEARTH_QUANTISED(HEARTH_DISPATCH)
#undef HEARTH_DISPATCH
    case Dtype::i32:
      return;  // refused by the shape rules
  }
}

}  // namespace hearth::HEARTH_GPU
