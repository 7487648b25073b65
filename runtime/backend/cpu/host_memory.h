// Memory of the host that becomes real as it is touched: address space on 2 MiB boundaries, huge pages asked for.
#pragma once

#include "runtime/backend/backend.h"

namespace hearth {

// resource_exhausted when the kernel refuses. It needs no backend to outlive it.
Result<Buffer> allocate_host(int64_t bytes);

}  // namespace hearth
