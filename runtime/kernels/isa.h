// How CPU kernels exist once per instruction set: every source of kernels (the ops' cpu.cpp and runtime/kernels/*.cpp)
// is compiled three times, into the namespaces portable, avx2 and avx512, by kernels.cmake, which defines
//   HEARTH_ISA        the namespace of this compilation
//   HEARTH_ISA_LEVEL  0 portable, 1 avx2 (with fma and f16c), 2 avx512 (f, bw, vl)
// The level only changes the width and the instructions of simd.h; kernels are written once, in its terms.
#pragma once

#include "hwdetect/cpu_features.h"
#include "runtime/ops/op.h"

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

// Ends an op's cpu.cpp, which defined kernel_for(const OP&, Types) in its ISA's namespace: defines OP::cpu_kernel,
// once.
#if HEARTH_ISA_LEVEL > 0
#define HEARTH_CPU_KERNEL(OP)
#elif defined(__x86_64__)
#define HEARTH_CPU_KERNEL(OP)                                                 \
  namespace hearth {                                                          \
  namespace avx2 {                                                            \
  CpuKernel kernel_for(const OP& op, Types inputs);                           \
  }                                                                           \
  namespace avx512 {                                                          \
  CpuKernel kernel_for(const OP& op, Types inputs);                           \
  }                                                                           \
  CpuKernel OP::cpu_kernel(Types inputs, const CpuFeatures& features) const { \
    switch (best_isa(features)) {                                             \
      case Isa::avx512:                                                       \
        return avx512::kernel_for(*this, inputs);                             \
      case Isa::avx2:                                                         \
        return avx2::kernel_for(*this, inputs);                               \
      case Isa::portable:                                                     \
        break;                                                                \
    }                                                                         \
    return portable::kernel_for(*this, inputs);                               \
  }                                                                           \
  }
#else
#define HEARTH_CPU_KERNEL(OP)                                        \
  namespace hearth {                                                 \
  CpuKernel OP::cpu_kernel(Types inputs, const CpuFeatures&) const { \
    return portable::kernel_for(*this, inputs);                      \
  }                                                                  \
  }
#endif
