// GPUs as NVIDIA's management library tells of them. The library comes with the driver, so it is opened at run time,
// and the few functions used are declared here (their binary interface is stable).
#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>

#include "hwdetect/detect.h"

namespace hearth::detail {
namespace {

constexpr int kSuccess = 0;
constexpr unsigned kMaxGpus = 64;
using Device = void*;

struct MemoryInfo {
  unsigned long long total, free, used;
};

struct PciInfo {
  char legacy_bus_id[16];
  unsigned domain, bus, device, device_id, subsystem_id;
  char bus_id[32];
};

struct CloseLibrary {
  void operator()(void* library) const { ::dlclose(library); }
};

class Nvml {
 public:
  static Result<Nvml> open(const std::string& name) {
    Nvml nvml;
    nvml.library_.reset(::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL));
    if (!nvml.library_) return error(Code::unavailable, "no NVIDIA driver: {}", dl_error());
    auto init = TRY(nvml.function<int()>("nvmlInit_v2"));
    TRY(nvml.check(init(), "nvmlInit_v2"));
    nvml.initialised_ = true;
    return nvml;
  }
  Nvml(Nvml&& other) noexcept
      : library_(std::move(other.library_)), initialised_(std::exchange(other.initialised_, false)) {}
  Nvml& operator=(Nvml&&) = delete;
  ~Nvml() {
    if (!initialised_) return;
    if (auto shutdown = function<int()>("nvmlShutdown")) (*shutdown)();
  }

  template <class Signature>
  Result<Signature*> function(const char* name) const {
    void* address = ::dlsym(library_.get(), name);
    if (!address) return error(Code::unavailable, "the NVIDIA driver's library has no {}", name);
    return reinterpret_cast<Signature*>(address);
  }

  Result<void> check(int status, const char* call) const {
    if (status == kSuccess) return {};
    auto text = function<const char*(int)>("nvmlErrorString");
    return error(Code::unavailable, "{} failed: {}", call, text ? (*text)(status) : "unknown error");
  }

  // Calls `name(arguments...)`, which reports through its pointer arguments.
  template <class... Args>
  Result<void> call(const char* name, Args... args) const {
    auto f = TRY(function<int(Args...)>(name));
    return check(f(args...), name);
  }

 private:
  Nvml() = default;
  static const char* dl_error() {
    const char* text = ::dlerror();
    return text ? text : "unknown reason";
  }
  std::unique_ptr<void, CloseLibrary> library_;
  bool initialised_ = false;
};

template <class... Args>
Reading<std::string> read_text(const Nvml& nvml, const char* name, Args... args) {
  std::array<char, 96> text{};
  auto ok = nvml.call(name, args..., text.data(), static_cast<unsigned>(text.size() - 1));
  if (!ok) return Reading<std::string>::missing(ok.error().to_string());
  return Reading<std::string>::of(text.data());
}

Reading<int> read_count(const Nvml& nvml, const char* name, Device device) {
  unsigned value = 0;
  auto ok = nvml.call(name, device, &value);
  if (!ok) return Reading<int>::missing(ok.error().to_string());
  return Reading<int>::of(static_cast<int>(value));
}

void read_memory(const Nvml& nvml, Device device, GpuProfile& gpu) {
  MemoryInfo info{};
  auto ok = nvml.call("nvmlDeviceGetMemoryInfo", device, &info);
  gpu.memory_bytes = ok ? Reading<uint64_t>::of(info.total) : Reading<uint64_t>::missing(ok.error().to_string());
  gpu.memory_free_bytes = ok ? Reading<uint64_t>::of(info.free) : Reading<uint64_t>::missing(ok.error().to_string());
}

Reading<std::string> read_compute_capability(const Nvml& nvml, Device device) {
  int major = 0, minor = 0;
  auto ok = nvml.call("nvmlDeviceGetCudaComputeCapability", device, &major, &minor);
  if (!ok) return Reading<std::string>::missing(ok.error().to_string());
  return Reading<std::string>::of(fmt::format("{}.{}", major, minor));
}

// NVML writes 00000000:65:00.0, the kernel 0000:65:00.0.
std::string read_pci_address(const Nvml& nvml, Device device) {
  PciInfo info{};
  if (!nvml.call("nvmlDeviceGetPciInfo_v3", device, &info)) return {};
  return fmt::format("{:04x}:{:02x}:{:02x}.0", info.domain, info.bus, info.device);
}

GpuProfile read_gpu(const Nvml& nvml, Device device, const DetectOptions& options) {
  GpuProfile gpu;
  gpu.source = "nvml";
  gpu.vendor = "NVIDIA";
  gpu.pci_address = read_pci_address(nvml, device);
  gpu.name = read_text(nvml, "nvmlDeviceGetName", device);
  gpu.driver = read_text(nvml, "nvmlSystemGetDriverVersion");
  if (gpu.driver) gpu.driver.value = "nvidia " + *gpu.driver.value;
  gpu.compute_capability = read_compute_capability(nvml, device);
  read_memory(nvml, device, gpu);
  gpu.pcie_generation = read_count(nvml, "nvmlDeviceGetMaxPcieLinkGeneration", device);
  gpu.pcie_width = read_count(nvml, "nvmlDeviceGetMaxPcieLinkWidth", device);
  gpu.numa_node = read_numa_node(options.sys_root / "bus/pci/devices" / gpu.pci_address);
  return gpu;
}

}  // namespace

Result<std::vector<GpuProfile>> detect_nvml_gpus(const DetectOptions& options) {
  Nvml nvml = TRY(Nvml::open(options.nvml_library));
  unsigned n_gpus = 0;
  TRY(nvml.call("nvmlDeviceGetCount_v2", &n_gpus));
  std::vector<GpuProfile> gpus;
  for (unsigned i = 0; i < std::min(n_gpus, kMaxGpus); ++i) {
    Device device = nullptr;
    TRY(nvml.call("nvmlDeviceGetHandleByIndex_v2", i, &device));
    gpus.push_back(read_gpu(nvml, device, options));
  }
  return gpus;
}

}  // namespace hearth::detail
