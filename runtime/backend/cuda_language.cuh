// What .cu files are written in: CUDA, with a few words of our own that both compilers have. nvcc compiles them for a
// GPU; the host's compiler, with backend/emulated/cuda.h, for the CPU. Both may be in one program, so all that they
// define lives in `namespace hearth::HEARTH_GPU`.
//
//   launch_kernel<kernel>(grid, threads, shared_bytes, stream, arguments...)    instead of kernel<<<...>>>(...)
//   HEARTH_SHARED(tile, float[16][17]);                                        a __shared__ array
//   HEARTH_DYNAMIC_SHARED(all, float);                                         the dynamic one
//   clear_bytes, copy_bytes                                                     in the order of the stream
#pragma once

#ifndef __CUDACC__
#include "runtime/backend/emulated/cuda.h"
#else

#include <cuda_runtime.h>

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
  cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream->stream);
}

}  // namespace hearth::HEARTH_GPU
#endif
