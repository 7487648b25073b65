// A CUDA stream with what calls on it share, and what a library refused since it was last asked: what .cu files call a
// stream.
#pragma once

#include <cuda_runtime.h>

#include <memory>
#include <optional>
#include <utility>

#include "base/result.h"

namespace hearth::cuda {

struct Blas;  // cuBLASLt and its workspace on the device (blas.cpp)
using OwnedBlas = std::unique_ptr<Blas, void (*)(Blas*)>;
Result<OwnedBlas> open_blas();  // on the current device; resource_exhausted: no memory for it

struct Queue {
  Queue() = default;
  Queue(const Queue&) = delete;
  ~Queue() {
    if (stream != nullptr) cudaStreamDestroy(stream);
  }

  cudaStream_t stream = nullptr;
  OwnedBlas blas{nullptr, nullptr};
  std::optional<Error> failure;

  void fail(const Error& error) {
    if (!failure) failure.emplace(error);
  }
  Result<void> take_result() {
    if (!failure) return {};
    return *std::exchange(failure, std::nullopt);
  }
};

}  // namespace hearth::cuda
