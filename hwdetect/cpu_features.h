// What the CPU that we run on can execute: read once by CPUID and XGETBV, so kernels can be chosen at start-up.
// A flag is true only when the operating system also saves the registers it needs.
#pragma once

namespace hearth {

struct CpuFeatures {
  bool avx2 = false, fma = false, f16c = false;
  bool avx512f = false, avx512bw = false, avx512vl = false, avx512vnni = false, avx512bf16 = false;
  bool avx_vnni = false;
  // Physical cores that this process may use (its affinity mask; hyper-threads of one core count once). At least 1.
  int n_physical_cores = 1;
  // Logical CPUs that this process may use. At least n_physical_cores.
  int n_logical_cpus = 1;
};

// Any thread, any time; the first call reads, later ones return the same object.
const CpuFeatures& cpu_features();

}  // namespace hearth
