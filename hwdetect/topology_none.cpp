// What is known of the topology where hwloc is not built in: nothing, and it says so.
#include "hwdetect/detect.h"

namespace hearth::detail {

void read_topology(CpuProfile& cpu) {
  cpu.topology_reason = "this build has no hwloc";
  cpu.n_packages = cpu.n_cores = Reading<int>::missing(cpu.topology_reason);
}

}  // namespace hearth::detail
