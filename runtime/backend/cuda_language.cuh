// What .cu files are written in: CUDA, with a few words of our own that both compilers have. nvcc compiles them for a
// GPU; the host's compiler, with backend/emulated/cuda.h, for the CPU. Both may be in one program, so all that they
// define lives in `namespace hearth::HEARTH_GPU`.
//
//   launch_kernel<kernel>(grid, threads, shared_bytes, stream, arguments...)    instead of kernel<<<...>>>(...)
//   HEARTH_SHARED(tile, float[16][17]);                                        a __shared__ array
//   HEARTH_DYNAMIC_SHARED(all, float);                                         the dynamic one
//   clear_bytes, copy_bytes                                                     in the order of the stream
//   __pipeline_memcpy_async, __pipeline_commit, __pipeline_wait_prior           cp.async: to shared memory, in groups
//   mma_bf16(d, a, b)                d += a · b, fragments of 16 x 16 and 16 x 8 bf16 numbers, d f32
//   (mma.sync.m16n8k16) load_matrices_4(registers, row)  four 8 x 8 matrices of 16-bit numbers out of shared memory
//   (ldmatrix), 16-byte rows load_transposed_4                the same, each transposed
#pragma once

#ifndef __CUDACC__
#include "runtime/backend/emulated/cuda.h"
#else

#include <cuda_pipeline_primitives.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#include "runtime/backend/cuda/queue.h"

#define HEARTH_GPU cuda
#define HEARTH_SHARED(name, ...) __shared__ std::type_identity_t<__VA_ARGS__> name
#define HEARTH_DYNAMIC_SHARED(name, ...) extern __shared__ __VA_ARGS__ name[]

namespace hearth::HEARTH_GPU {

using Stream = Queue*;

inline constexpr size_t kSharedBytesFree = 48 << 10;  // more has to be asked for

// An error stays with the stream: cudaGetLastError() tells.
template <auto kernel, class... Arguments>
void launch_kernel(dim3 grid, dim3 threads, size_t shared_bytes, Stream stream, const Arguments&... arguments) {
  if (shared_bytes > kSharedBytesFree)
    cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes));
  // clang-format off
  kernel<<<grid, threads, shared_bytes, stream->stream>>>(arguments...);
  // clang-format on
}
inline void clear_bytes(Stream stream, void* data, size_t bytes) {
  cudaMemsetAsync(data, 0, bytes, stream->stream);
}
inline void copy_bytes(Stream stream, void* to, const void* from, size_t bytes) {
  cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream->stream);
}

__device__ inline void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
__device__ inline void load_matrices_4(uint32_t (&r)[4], const void* row) {
  const auto at = static_cast<uint32_t>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(at)
               : "memory");
}
__device__ inline void load_transposed_4(uint32_t (&r)[4], const void* row) {
  const auto at = static_cast<uint32_t>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(at)
               : "memory");
}

}  // namespace hearth::HEARTH_GPU
#endif
