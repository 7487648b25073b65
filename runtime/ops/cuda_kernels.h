// Every op's CUDA kernels: for a GPU (only in builds with HEARTH_CUDA), and for the emulator.
#pragma once

#include "runtime/backend/kernel_table.h"

namespace hearth {

namespace cuda {
KernelTable kernels();
}
namespace emulated {
KernelTable kernels();
}

}  // namespace hearth
