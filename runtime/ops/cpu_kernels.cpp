// See cpu_kernels.h. An op without a cpu.cpp, or with one that lacks its kernel_for(), does not link.
#include "runtime/ops/cpu_kernels.h"

#include "runtime/kernels/isa.h"
#include "runtime/ops/all_ops.h"

namespace hearth {
using LaidOutOps = OpList<Matmul, GroupedMatmul>;
}

// How kernels/isa.h declares it in each compilation of an op's cpu.cpp.
#define HEARTH_DECLARE_KERNELS(ISA)                                               \
  namespace hearth::ISA {                                                         \
  template <class O>                                                              \
  Kernel kernel_for(const O& op, Types inputs);                                   \
  template <class O>                                                              \
  Kernel fixed_order_kernel_for(const O& op, Types inputs);                       \
  template <class O>                                                              \
  Layout layout_for(const O& op, Types inputs, int operand);                      \
  template <class... LaidOutOps>                                                  \
  static void add_layouts(KernelTable& table, OpList<LaidOutOps...>) {            \
    (table.add_layout<LaidOutOps>(&ISA::layout_for<LaidOutOps>), ...);            \
  }                                                                               \
  template <class... Ops, class... FixedOrderOps>                                 \
  static KernelTable table_of(OpList<Ops...>, OpList<FixedOrderOps...>) {         \
    KernelTable table;                                                            \
    (table.add<Ops>(&ISA::kernel_for<Ops>), ...);                                 \
    (table.add<FixedOrderOps>(&ISA::fixed_order_kernel_for<FixedOrderOps>), ...); \
    add_layouts(table, LaidOutOps{});                                             \
    return table;                                                                 \
  }                                                                               \
  }

HEARTH_DECLARE_KERNELS(portable)
#if defined(__x86_64__)
HEARTH_DECLARE_KERNELS(avx2)
HEARTH_DECLARE_KERNELS(avx512)
#endif

namespace hearth {
namespace {

using FixedOrderOps = OpList<Matmul, HeadMatmul, GroupedMatmul, LinearAttentionCached>;

template <class Overriding>
KernelTable table_for(Isa isa, Overriding ops) {
#if defined(__x86_64__)
  if (isa == Isa::avx512) return avx512::table_of(AllOps{}, ops);
  if (isa == Isa::avx2) return avx2::table_of(AllOps{}, ops);
#endif
  return portable::table_of(AllOps{}, ops);
}

}  // namespace

KernelTable cpu_kernels(const CpuFeatures& features, bool fixed_order) {
  const Isa isa = best_isa(features);
  return fixed_order ? table_for(isa, FixedOrderOps{}) : table_for(isa, OpList<>{});
}

}  // namespace hearth
