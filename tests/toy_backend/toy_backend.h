// The smallest backend there can be: plain loops for six ops on the host's memory. docs/how_to_add_a_backend.md walks
// through it.
#pragma once

#include "runtime/backend/host_backend.h"

namespace hearth {

class ToyBackend final : public HostBackend {
 public:
  ToyBackend();
  std::string name() const override { return "toy"; }
  const KernelTable& kernels() const override { return kernels_; }
  Result<std::unique_ptr<Tape>> record(std::vector<Call> calls) override;

 private:
  KernelTable kernels_;
};

}  // namespace hearth
