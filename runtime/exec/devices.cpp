// See devices.h.
#include "runtime/exec/devices.h"

#include <algorithm>

#include "hwdetect/cpu_features.h"
#include "runtime/ops/cpu_kernels.h"
#ifdef HEARTH_HAS_CUDA
#include "runtime/backend/cuda/cuda_backend.h"
#include "runtime/ops/cuda_kernels.h"
#endif

namespace hearth {
namespace {

// What stands behind "name:", as a device's number; 0 without.
Result<int> index_in(std::string_view index) {
  if (index.empty()) return 0;
  if (index.size() < 2 || index.size() > 3 || index[0] != ':' ||
      index.find_first_not_of("0123456789", 1) != std::string_view::npos)
    return error(Code::invalid_argument, "\"{}\" is no device number: write cuda:0 to cuda:99", index);
  return std::stoi(std::string(index.substr(1)));
}

Result<std::unique_ptr<Backend>> open_cuda(std::string_view index) {
  const int device = TRY(index_in(index));
#ifdef HEARTH_HAS_CUDA
  return CudaBackend::create(cuda_kernels(), device);
#else
  return error(Code::failed_precondition, "cuda:{} is not to be had: this build has no CUDA kernels", device);
#endif
}

struct Entry {
  std::string_view name;
  Result<std::unique_ptr<Backend>> (*open)(std::string_view index, int n_threads);
};

constexpr Entry kBackends[] = {
    {"cpu",
     [](std::string_view, int n_threads) -> Result<std::unique_ptr<Backend>> {
       return std::unique_ptr<Backend>(open_cpu(n_threads));
     }},
    {"cuda", [](std::string_view index, int) { return open_cuda(index); }},
};

}  // namespace

std::unique_ptr<CpuBackend> open_cpu(int n_threads) {
  return std::make_unique<CpuBackend>(cpu_kernels(cpu_features()), n_threads > 0 ? n_threads : Team::default_threads());
}

Result<std::unique_ptr<Backend>> open_device(std::string_view name, int n_threads) {
  const size_t end = std::min(name.find(':'), name.size());
  for (const Entry& entry : kBackends)
    if (entry.name == name.substr(0, end)) return entry.open(name.substr(end), n_threads);
  return error(Code::invalid_argument, "there is no device \"{}\": cpu or cuda[:number]", name);
}

}  // namespace hearth
