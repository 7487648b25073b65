// The CUDA kernels on the CPU, as a backend: a device for tests, not for speed. A call sees each of its operands in a
// heap block of exactly their size, outputs and scratch filled with NaN, and must leave alone what it may not write:
// what is wrong is an error that names the kernel.
#pragma once

#include "runtime/backend/emulated/device.h"
#include "runtime/backend/host_backend.h"

namespace hearth {

class EmulatedBackend final : public HostBackend {
 public:
  // seed 0: threads in order; others shuffle them. Odd ones fill dead memory with another NaN. Copies go as early as
  // their waits allow, as late, or at random times, of seeds 0, 1 and 2 (mod 3). memory_kib: what it has; 0: no limit.
  EmulatedBackend(KernelTable kernels, uint64_t seed, Dtype activations = Dtype::f32, int64_t memory_kib = 0);

  std::string name() const override;
  const KernelTable& kernels() const override { return kernels_; }
  Dtype activations() const override { return activations_; }
  bool is_host_memory() const override { return false; }  // as on a GPU, what has no kernel cannot run
  Result<Buffer> allocate(int64_t bytes) override;
  int64_t free_bytes() const override;
  Result<std::unique_ptr<Tape>> record(std::vector<Call> calls) override;

 private:
  int64_t left() const { return memory_kib_ * 1024 - allocated_; }
  KernelTable kernels_;
  uint64_t seed_;
  Dtype activations_;
  int64_t memory_kib_, allocated_ = 0;
  emulator::Device device_;
};

}  // namespace hearth
