// The one header that .cu files need to be compiled for the CPU: CUDA's vocabulary, as far as kernels here use it.
//
//   __global__ void add(const float* a, float* b) { b[threadIdx.x] += a[threadIdx.x]; }
//   launch_kernel<add>(1, 256, 0, stream, a, b);      // instead of add<<<1, 256, 0, stream>>>(a, b)
//
// A static __shared__ array is HEARTH_SHARED(name, type), the dynamic one HEARTH_DYNAMIC_SHARED(name, element). What is
// missing does not compile.
#pragma once

#include <math.h>

#include <bit>
#include <cstring>
#include <tuple>
#include <type_traits>

#include "runtime/backend/emulated/device.h"
#include "runtime/backend/emulated/tensor_core.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__

#define HEARTH_SHARED(name, ...)            \
  static constexpr char name##_key = 0;     \
  std::type_identity_t<__VA_ARGS__>& name = \
      ::hearth::emulator::shared_array<std::type_identity_t<__VA_ARGS__>>(&name##_key)
#define HEARTH_DYNAMIC_SHARED(name, ...) \
  auto* const name = static_cast<__VA_ARGS__*>(::hearth::emulator::block->dynamic_shared())

namespace hearth::emulator {

// Of the thread that runs.
inline thread_local constinit Index3 threadIdx, blockIdx;
inline thread_local constinit Size3 blockDim, gridDim;
inline thread_local constinit Block* block = nullptr;

template <class T>
T& shared_array(const void* key) {
  return *static_cast<T*>(block->shared(key, sizeof(T)));
}

// ---- barriers, and lanes that meet; `line` is the caller's ----

inline void __syncthreads(int line = __builtin_LINE()) {
  block->barrier(false, line);
}
inline int __syncthreads_count(int vote, int line = __builtin_LINE()) {
  return block->barrier(vote != 0, line);
}
inline int __syncthreads_or(int vote, int line = __builtin_LINE()) {
  return block->barrier(vote != 0, line) > 0;
}
inline int __syncthreads_and(int vote, int line = __builtin_LINE()) {
  return block->barrier(vote == 0, line) == 0;
}
inline void __syncwarp(unsigned mask = 0xffffffffu, int line = __builtin_LINE()) {
  block->ballot(mask, false, line);
}
inline unsigned __ballot_sync(unsigned mask, int vote, int line = __builtin_LINE()) {
  return block->ballot(mask, vote != 0, line);
}
inline int __any_sync(unsigned mask, int vote, int line = __builtin_LINE()) {
  return block->ballot(mask, vote != 0, line) != 0;
}
inline int __all_sync(unsigned mask, int vote, int line = __builtin_LINE()) {
  return block->ballot(mask, vote != 0, line) == mask;
}

template <class T>
T exchange(unsigned mask, T value, unsigned source, int line) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(uint64_t));
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  bits = block->exchange(mask, bits, source, line);
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

// Lanes are exchanged within segments of `width`; a source beyond the segment is the lane itself.
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, int line = __builtin_LINE()) {
  const unsigned w = static_cast<unsigned>(width), first = block->lane() & ~(w - 1);
  return exchange(mask, value, first + (static_cast<unsigned>(source) & (w - 1)), line);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32, int line = __builtin_LINE()) {
  const unsigned w = static_cast<unsigned>(width), me = block->lane(), source = me ^ static_cast<unsigned>(lanes);
  return exchange(mask, value, source >= (me & ~(w - 1)) + w ? me : source, line);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, int line = __builtin_LINE()) {
  const unsigned me = block->lane(), at = me & (static_cast<unsigned>(width) - 1);
  return exchange(mask, value, delta > at ? me : me - delta, line);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, int line = __builtin_LINE()) {
  const unsigned w = static_cast<unsigned>(width), me = block->lane(), at = me & (w - 1);
  return exchange(mask, value, at + delta >= w ? me : me + delta, line);
}

// ---- atomics: a device is one thread of the host ----

template <class T, class Change>
T change(T* at, Change to) {
  const T old = *at;
  *at = to(old);
  return old;
}
template <class T>
T atomicAdd(T* at, std::type_identity_t<T> x) {
  return change(at, [x](T old) { return old + x; });
}
template <class T>
T atomicMax(T* at, std::type_identity_t<T> x) {
  return change(at, [x](T old) { return old > x ? old : x; });
}
template <class T>
T atomicMin(T* at, std::type_identity_t<T> x) {
  return change(at, [x](T old) { return old < x ? old : x; });
}
template <class T>
T atomicExch(T* at, std::type_identity_t<T> x) {
  return change(at, [x](T) { return x; });
}
template <class T>
T atomicCAS(T* at, std::type_identity_t<T> expected, std::type_identity_t<T> x) {
  return change(at, [=](T old) { return old == expected ? x : old; });
}
inline void __threadfence() {}
inline void __threadfence_block() {}

// ---- asynchronous copies to shared memory (cuda_pipeline_primitives.h) ----

inline void __pipeline_memcpy_async(void* to, const void* from, size_t bytes, int line = __builtin_LINE()) {
  block->copy_later(to, from, bytes, line);
}
inline void __pipeline_commit() {
  block->commit_copies();
}
inline void __pipeline_wait_prior(size_t n_pending_groups) {
  block->wait_for_copies(n_pending_groups);
}

// ---- tensor cores: see cuda_language.cuh ----

inline void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], int line = __builtin_LINE()) {
  MmaOfLane mine{d, a, b};
  block->together(&mine, multiply_fragments, line);
}
template <bool transposes>
void load_fragments(uint32_t (&registers)[4], const void* row, int line) {
  if (reinterpret_cast<uintptr_t>(row) % 16 != 0) block->refuse("ldmatrix reads rows at multiples of 16 bytes", line);
  if (!block->is_shared(row, 16)) block->refuse("ldmatrix reads shared memory", line);
  LoadOfLane mine{registers, row};
  block->together(&mine, load_matrices<transposes>, line);
}
inline void load_matrices_4(uint32_t (&registers)[4], const void* row, int line = __builtin_LINE()) {
  load_fragments<false>(registers, row, line);
}
inline void load_transposed_4(uint32_t (&registers)[4], const void* row, int line = __builtin_LINE()) {
  load_fragments<true>(registers, row, line);
}

// ---- bits and scalars ----

inline int __popc(unsigned x) {
  return std::popcount(x);
}
inline int __clz(int x) {
  return std::countl_zero(static_cast<unsigned>(x));
}
inline int __ffs(int x) {
  return x == 0 ? 0 : std::countr_zero(static_cast<unsigned>(x)) + 1;
}
inline float rsqrtf(float x) {
  return 1.0f / sqrtf(x);
}
template <class T>
T __ldg(const T* at) {
  return *at;
}

// ---- launches ----

// "hearth::add_kernel" of "... [with auto kernel = hearth::add_kernel; Arguments = ...]", as the compiler spells it.
constexpr std::string_view kernel_name(std::string_view function) {
  const size_t begin = function.find("kernel = ") + sizeof("kernel = ") - 1, end = function.find("Arguments = ", begin);
  return function.substr(begin, end - begin - 2);
}

template <auto kernel, class... Parameters>
void run_threads(Block& on, const void* arguments) {
  const auto& values = *static_cast<const std::tuple<Parameters...>*>(arguments);
  while (on.take_thread(threadIdx)) {
    std::apply(kernel, values);
    on.end_thread();
  }
}

template <auto kernel, class... Parameters>
void run_kernel(void (*)(Parameters...), std::string_view name, Size3 grid, Size3 threads, size_t shared_bytes,
                Device& device, const std::type_identity_t<Parameters>&... parameters) {
  const std::tuple<Parameters...> values(parameters...);
  device.run({name, grid, threads, shared_bytes}, run_threads<kernel, Parameters...>, &values);
}

}  // namespace hearth::emulator

// The namespace of kernels that are compiled with this header: they may be in one program with nvcc's.
#define HEARTH_GPU emulated

namespace hearth::HEARTH_GPU {

using namespace emulator;  // NOLINT(google-build-using-namespace): CUDA's names are global
using dim3 = Size3;
using Stream = Device*;

template <auto kernel, class... Arguments>
void launch_kernel(dim3 grid, dim3 threads, size_t shared_bytes, Stream stream, const Arguments&... arguments) {
  run_kernel<kernel>(kernel, kernel_name(__PRETTY_FUNCTION__), grid, threads, shared_bytes, *stream, arguments...);
}
inline void clear_bytes(Stream, void* data, size_t bytes) {
  std::memset(data, 0, bytes);
}
inline void copy_bytes(Stream, void* to, const void* from, size_t bytes) {
  std::memcpy(to, from, bytes);
}

}  // namespace hearth::HEARTH_GPU
