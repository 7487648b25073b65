// How CPU kernels exist once per instruction set: every source of kernels (the ops' cpu.cpp and runtime/kernels/*.cpp)
// is compiled three times, into the namespaces portable, avx2 and avx512, by kernels.cmake, which defines
//   HEARTH_ISA        the namespace of this compilation
//   HEARTH_ISA_LEVEL  0 portable, 1 avx2 (with fma and f16c), 2 avx512 (f, bw, vl)
// The level only changes the width and the instructions of simd.h; kernels are written once, in its terms.
//
// An op's cpu.cpp specialises kernel_for() for its class; ops/cpu_kernels.cpp puts all of them into a table.
#pragma once

#include "hwdetect/cpu_features.h"
#include "runtime/backend/kernel.h"

namespace hearth {

enum class Isa { portable, avx2, avx512 };

inline Isa best_isa(const CpuFeatures& f) {
#if defined(__x86_64__)
  const bool has_avx2 = f.avx2 && f.fma && f.f16c;
  if (has_avx2 && f.avx512f && f.avx512bw && f.avx512vl) return Isa::avx512;
  if (has_avx2) return Isa::avx2;
#endif
  (void)f;
  return Isa::portable;
}

}  // namespace hearth

#ifdef HEARTH_ISA
namespace hearth::HEARTH_ISA {

template <class O>
Kernel kernel_for(const O& op, Types inputs);

// The same where bits of a row must not depend on how many rows there are: for ops whose kernel_for() asks for that
// number (FixedOrderOps of ops/cpu_kernels.cpp).
template <class O>
Kernel fixed_order_kernel_for(const O& op, Types inputs);

// How the kernel for these operands wants inputs[operand] to lie: for ops that read laid-out weights (LaidOutOps).
template <class O>
Layout layout_for(const O& op, Types inputs, int operand);

}  // namespace hearth::HEARTH_ISA
#endif
