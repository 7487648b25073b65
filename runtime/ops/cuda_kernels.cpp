// See cuda_kernels.h. Compiled for each compiler of the kernels. An op whose cuda.cu lacks its kernel_for() does not
// link; one that declines answers an empty kernel.
#include "runtime/ops/cuda_kernels.h"

#include "runtime/ops/all_ops.h"

#ifndef HEARTH_GPU
#define HEARTH_GPU cuda
#endif

namespace hearth::HEARTH_GPU {

template <class O>
Kernel kernel_for(const O& op, Types inputs);

template <class... Ops>
static KernelTable table_of(OpList<Ops...>) {
  KernelTable table;
  (table.add<Ops>(&kernel_for<Ops>), ...);
  return table;
}

KernelTable kernels() {
  return table_of(AllOps{});
}

}  // namespace hearth::HEARTH_GPU
