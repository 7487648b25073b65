// The CPU as a backend: the host's memory, and a team of threads that walks a tape together.
#pragma once

#include "runtime/backend/backend.h"
#include "runtime/backend/cpu/team.h"

namespace hearth {

class CpuBackend final : public Backend {
 public:
  CpuBackend(KernelTable kernels, int n_threads) : kernels_(std::move(kernels)), team_(n_threads) {}
  Team& team() { return team_; }  // for work that is no plan's

  std::string name() const override { return "cpu"; }
  const KernelTable& kernels() const override { return kernels_; }
  bool is_host_memory() const override { return true; }
  Result<Buffer> allocate(int64_t bytes) override;
  Result<void> write(std::byte* to, const void* host, int64_t bytes) override;
  Result<void> read(void* host, const std::byte* from, int64_t bytes) override;
  Result<std::unique_ptr<Tape>> record(std::vector<Call> calls) override;

 private:
  KernelTable kernels_;
  Team team_;
};

}  // namespace hearth
