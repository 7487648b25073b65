// Every op's CPU kernels, as compiled for the best instruction set that the features allow.
#pragma once

#include "hwdetect/cpu_features.h"
#include "runtime/backend/kernel_table.h"

namespace hearth {

// fixed_order: a row's bits do not depend on how many rows are computed with it, nor on how a sequence is cut. Slower
// where there are many rows.
KernelTable cpu_kernels(const CpuFeatures& features, bool fixed_order = false);

}  // namespace hearth
