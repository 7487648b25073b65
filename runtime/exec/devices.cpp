// See devices.h.
#include "runtime/exec/devices.h"

#include <algorithm>

#include "hwdetect/cpu_features.h"
#include "hwdetect/gpu.h"
#include "runtime/backend/cuda/module.h"
#include "runtime/backend/emulated/emulated_backend.h"
#include "runtime/ops/cpu_kernels.h"
#include "runtime/ops/cuda_kernels.h"

namespace hearth {
namespace {

// What stands behind "name:", as a number; 0 without.
Result<int> index_in(std::string_view index) {
  if (index.empty()) return 0;
  if (index.size() < 2 || index.size() > 3 || index[0] != ':' ||
      index.find_first_not_of("0123456789", 1) != std::string_view::npos)
    return error(Code::invalid_argument, "\"{}\" is no number of a device: write :0 to :99", index);
  return std::stoi(std::string(index.substr(1)));
}

Result<void> no_index(std::string_view index) {
  if (index.empty()) return {};
  return error(Code::invalid_argument, "there is one cpu: leave \"{}\" away", index);
}

Result<std::unique_ptr<Backend>> open_cuda(std::string_view index) {
  const int device = TRY(index_in(index));
  return TRY(cuda_module())->open(device);
}

Result<std::unique_ptr<Backend>> open_emulated(std::string_view index) {
  const int seed = TRY(index_in(index));
  return std::unique_ptr<Backend>(new EmulatedBackend(emulated::kernels(), static_cast<uint64_t>(seed)));
}

struct Entry {
  std::string_view name;
  Result<std::unique_ptr<Backend>> (*open)(std::string_view index, int n_threads);
};

constexpr Entry kBackends[] = {
    {"cpu",
     [](std::string_view index, int n_threads) -> Result<std::unique_ptr<Backend>> {
       TRY(no_index(index));
       return std::unique_ptr<Backend>(open_cpu(n_threads));
     }},
    {"cuda", [](std::string_view index, int) { return open_cuda(index); }},
    {"emulated", [](std::string_view index, int) { return open_emulated(index); }},
};

std::string_view index_of(std::string_view name) {
  return name.substr(std::min(name.find(':'), name.size()));
}

Result<const Entry*> entry_of(std::string_view name) {
  for (const Entry& entry : kBackends)
    if (entry.name == name.substr(0, name.find(':'))) return &entry;
  return error(Code::invalid_argument, "there is no device \"{}\": cpu, cuda[:number] or emulated[:seed]", name);
}

}  // namespace

std::vector<std::string> devices_to_try(std::string& why_none) {
  std::vector<std::string> out;
  const Result<const CudaModule*> module = cuda_module();
  const int n = module ? (*module)->n_devices() : 0;
  for (int i = 0; i < n; ++i) out.push_back("cuda:" + std::to_string(i));
  if (out.empty() && has_nvidia_gpu())
    why_none = module ? "the NVIDIA driver does not answer: check `nvidia-smi`" : module.error().message;
  return out;
}

std::unique_ptr<CpuBackend> open_cpu(int n_threads) {
  return std::make_unique<CpuBackend>(cpu_kernels(cpu_features()), n_threads > 0 ? n_threads : Team::default_threads());
}

Result<void> check_device_name(std::string_view name) {
  if (name == kAnyDevice) return {};
  TRY(entry_of(name));
  TRY(index_in(index_of(name)));
  if (name.starts_with(kHostDevice)) TRY(no_index(index_of(name)));
  return {};
}

Result<std::unique_ptr<Backend>> open_device(std::string_view name, int n_threads) {
  return TRY(entry_of(name))->open(index_of(name), n_threads);
}

}  // namespace hearth
