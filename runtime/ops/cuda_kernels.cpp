// See cuda_kernels.h. An op whose cuda.cu lacks its kernel_for() does not link; one that declines answers an empty
// kernel.
#include "runtime/ops/cuda_kernels.h"

#include "runtime/ops/all_ops.h"

namespace hearth {
namespace cuda {

template <class O>
Kernel kernel_for(const O& op, Types inputs);

template <class... Ops>
static KernelTable table_of(OpList<Ops...>) {
  KernelTable table;
  (table.add<Ops>(&kernel_for<Ops>), ...);
  return table;
}

}  // namespace cuda

KernelTable cuda_kernels() {
  return cuda::table_of(AllOps{});
}

}  // namespace hearth
