// The CPU as a backend: the host's memory, and a team of threads that walks a tape together.
#pragma once

#include "runtime/backend/cpu/team.h"
#include "runtime/backend/host_backend.h"

namespace hearth {

class CpuBackend final : public HostBackend {
 public:
  CpuBackend(KernelTable kernels, int n_threads) : kernels_(std::move(kernels)), team_(n_threads) {}
  Team& team() { return team_; }  // for work that is no plan's

  std::string name() const override { return "cpu"; }
  const KernelTable& kernels() const override { return kernels_; }
  Result<std::unique_ptr<Tape>> record(std::vector<Call> calls) override;

 private:
  KernelTable kernels_;
  Team team_;
};

}  // namespace hearth
