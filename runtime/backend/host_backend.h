// What backends on the host's memory have in common. Memory becomes real as it is touched: address space on 2 MiB
// boundaries, huge pages asked for.
#pragma once

#include "runtime/backend/backend.h"

namespace hearth {

class HostBackend : public Backend {
 public:
  bool is_host_memory() const override { return true; }
  Result<Buffer> allocate(int64_t bytes) override;  // resource_exhausted when the kernel refuses
  Result<void> write(std::byte* to, const void* host, int64_t bytes) final;
  Result<void> read(void* host, const std::byte* from, int64_t bytes) final;
};

}  // namespace hearth
