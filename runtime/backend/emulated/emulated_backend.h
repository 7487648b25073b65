// The CUDA kernels on the CPU, as a backend: a device for tests, not for speed. A call sees each of its operands in a
// heap block of exactly their size, outputs and scratch filled with NaN, and must leave alone what it may not write:
// what is wrong is an error that names the kernel.
#pragma once

#include "runtime/backend/emulated/device.h"
#include "runtime/backend/host_backend.h"

namespace hearth {

class EmulatedBackend final : public HostBackend {
 public:
  // seed 0: threads in order; others shuffle them. Odd ones fill dead memory with another NaN.
  EmulatedBackend(KernelTable kernels, uint64_t seed, Dtype activations = Dtype::f32);

  std::string name() const override;
  const KernelTable& kernels() const override { return kernels_; }
  Dtype activations() const override { return activations_; }
  bool is_host_memory() const override { return false; }  // as on a GPU, what has no kernel cannot run
  Result<std::unique_ptr<Tape>> record(std::vector<Call> calls) override;

 private:
  KernelTable kernels_;
  uint64_t seed_;
  Dtype activations_;
  emulator::Device device_;
};

}  // namespace hearth
