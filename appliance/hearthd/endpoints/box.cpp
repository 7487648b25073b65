// GET /hearth/v1/box: what this box is and has left now.
#include <sys/statvfs.h>
#include <unistd.h>

#include <climits>

#include "appliance/hearthd/endpoints/endpoints.h"
#include "hwdetect/cpu_features.h"
#include "hwdetect/memory.h"

namespace hearth {

static std::string host_name() {
  char name[HOST_NAME_MAX + 1] = {};
  return ::gethostname(name, sizeof(name) - 1) == 0 ? name : "";
}

static api::Box describe_box(const Service& service) {
  api::Box box{.hostname = host_name(),
               .version = HEARTH_VERSION,
               .cpu_model = service.hardware.cpu_model(),
               .n_cores = cpu_features().n_logical_cpus,
               .ram_bytes = total_memory_bytes(),
               .ram_available_bytes = available_memory_bytes(),
               .gpus = service.hardware.gpu_names(),
               .state_dir = service.options.state.root.string(),
               .listen = service.listen,
               .started_at = service.started_at};
  struct statvfs disk {};
  if (::statvfs(service.options.state.root.c_str(), &disk) == 0) {
    box.disk_bytes = uint64_t{disk.f_blocks} * disk.f_frsize;
    box.disk_free_bytes = uint64_t{disk.f_bavail} * disk.f_frsize;
  }
  return box;
}

void add_box(Endpoints& table, Service& service) {
  table.push_back(endpoint<api::Box>("GET", "/hearth/v1/box", "What this box is and has left now",
                                     [&](http::Request&) -> Result<api::Box> { return describe_box(service); }));
}

}  // namespace hearth
