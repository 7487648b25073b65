// Every op's CUDA kernels. Only in builds with HEARTH_CUDA.
#pragma once

#include "runtime/backend/kernel_table.h"

namespace hearth {

KernelTable cuda_kernels();

}  // namespace hearth
