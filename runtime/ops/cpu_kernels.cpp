// See cpu_kernels.h. An op without a cpu.cpp, or with one that lacks its kernel_for(), does not link.
#include "runtime/ops/cpu_kernels.h"

#include "runtime/kernels/isa.h"
#include "runtime/ops/all_ops.h"

// How kernels/isa.h declares it in each compilation of an op's cpu.cpp.
#define HEARTH_DECLARE_KERNELS(ISA)               \
  namespace hearth::ISA {                         \
  template <class O>                              \
  Kernel kernel_for(const O& op, Types inputs);   \
  template <class... Ops>                         \
  static KernelTable table_of(OpList<Ops...>) {   \
    KernelTable table;                            \
    (table.add<Ops>(&ISA::kernel_for<Ops>), ...); \
    return table;                                 \
  }                                               \
  }

HEARTH_DECLARE_KERNELS(portable)
#if defined(__x86_64__)
HEARTH_DECLARE_KERNELS(avx2)
HEARTH_DECLARE_KERNELS(avx512)
#endif

namespace hearth {

KernelTable cpu_kernels(const CpuFeatures& features) {
#if defined(__x86_64__)
  if (best_isa(features) == Isa::avx512) return avx512::table_of(AllOps{});
  if (best_isa(features) == Isa::avx2) return avx2::table_of(AllOps{});
#endif
  return portable::table_of(AllOps{});
}

}  // namespace hearth
