// Every op's CPU kernels, as compiled for the best instruction set that the features allow.
#pragma once

#include "hwdetect/cpu_features.h"
#include "runtime/backend/kernel_table.h"

namespace hearth {

KernelTable cpu_kernels(const CpuFeatures& features);

}  // namespace hearth
