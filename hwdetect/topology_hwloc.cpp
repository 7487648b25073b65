// Caches, memory nodes and core counts of the running machine, by hwloc.
#include <hwloc.h>

#include <cstdlib>
#include <memory>

#include "hwdetect/detect.h"

namespace hearth::detail {
namespace {

struct Destroy {
  void operator()(hwloc_topology_t topology) const { hwloc_topology_destroy(topology); }
};
using Topology = std::unique_ptr<std::remove_pointer_t<hwloc_topology_t>, Destroy>;

Result<Topology> load() {
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0) return error(Code::resource_exhausted, "hwloc could not be initialised");
  Topology topology(raw);
  hwloc_topology_set_icache_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_ALL);
  if (hwloc_topology_load(raw) != 0) return error(Code::unavailable, "hwloc could not read this machine's topology");
  return topology;
}

Reading<int> count(hwloc_topology_t topology, hwloc_obj_type_t type, const char* what) {
  const int n = hwloc_get_nbobjs_by_type(topology, type);
  if (n > 0) return Reading<int>::of(n);
  return Reading<int>::missing(fmt::format("hwloc sees no {} here", what));
}

const char* kind_name(hwloc_obj_cache_type_t type) {
  switch (type) {
    case HWLOC_OBJ_CACHE_DATA:
      return "data";
    case HWLOC_OBJ_CACHE_INSTRUCTION:
      return "instruction";
    default:
      return "unified";
  }
}

std::vector<CacheLevel> read_caches(hwloc_topology_t topology) {
  std::vector<CacheLevel> caches;
  for (hwloc_obj_type_t type :
       {HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L1ICACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L3CACHE, HWLOC_OBJ_L4CACHE}) {
    hwloc_obj_t first = hwloc_get_obj_by_type(topology, type, 0);
    if (!first) continue;
    caches.push_back({static_cast<int>(first->attr->cache.depth), kind_name(first->attr->cache.type),
                      first->attr->cache.size, hwloc_get_nbobjs_by_type(topology, type)});
  }
  return caches;
}

std::string cpu_list(hwloc_const_cpuset_t set) {
  char* text = nullptr;
  if (hwloc_bitmap_list_asprintf(&text, set) < 0) return {};
  std::string list = text;
  std::free(text);
  return list;
}

std::vector<NumaNode> read_nodes(hwloc_topology_t topology) {
  std::vector<NumaNode> nodes;
  for (hwloc_obj_t node = nullptr; (node = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, node));) {
    const uint64_t bytes = node->attr->numanode.local_memory;
    nodes.push_back(
        {static_cast<int>(node->os_index), cpu_list(node->cpuset),
         bytes ? Reading<uint64_t>::of(bytes) : Reading<uint64_t>::missing("hwloc knows no size for this node")});
  }
  return nodes;
}

}  // namespace

void read_topology(CpuProfile& cpu) {
  auto topology = load();
  if (!topology) {
    cpu.topology_reason = topology.error().to_string();
    cpu.n_packages = cpu.n_cores = Reading<int>::missing(cpu.topology_reason);
    return;
  }
  cpu.n_packages = count(topology->get(), HWLOC_OBJ_PACKAGE, "packages");
  cpu.n_cores = count(topology->get(), HWLOC_OBJ_CORE, "cores");
  cpu.caches = read_caches(topology->get());
  cpu.numa_nodes = read_nodes(topology->get());
  if (cpu.caches.empty()) cpu.topology_reason = "hwloc sees no caches here (usual inside some virtual machines)";
}

}  // namespace hearth::detail
