// The looking, which programs have.
#include "runtime/backend/cuda/module.h"

#include <dlfcn.h>

#include <filesystem>

namespace hearth {
namespace {
namespace fs = std::filesystem;

// Installed: bin/ beside lib/hearth/. Built: the program's folder beside runtime/, or below tests/.
constexpr const char* kFolders[] = {"../lib/hearth", "../runtime", "../../runtime", "."};

std::string find_library() {
  std::error_code ec;
  const fs::path program = fs::read_symlink("/proc/self/exe", ec).parent_path();
  for (const char* folder : kFolders) {
    const fs::path library = program / folder / "libhearth-cuda.so";
    if (fs::exists(library, ec)) return library.lexically_normal().string();
  }
  return "";
}

Result<const CudaModule*> load() {
  const std::string library = find_library();
  if (library.empty())
    return error(Code::failed_precondition, "Hearth's CUDA kernels are not installed: they are the package hearth-cuda");
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);  // never closed: its kernels may be in use
  if (handle == nullptr) return error(Code::failed_precondition, "{} cannot be loaded: {}", library, dlerror());
  auto* entry = reinterpret_cast<const CudaModule* (*)()>(dlsym(handle, kCudaModuleEntry));
  if (entry == nullptr) return error(Code::failed_precondition, "{} is no module of Hearth", library);
  const CudaModule* module = entry();
  if (std::string_view(module->version) != HEARTH_VERSION)
    return error(Code::failed_precondition, "{} is of Hearth {}, this is {}: install the same version of both", library,
                 module->version, HEARTH_VERSION);
  return module;
}

}  // namespace

Result<const CudaModule*> cuda_module() {
  static const Result<const CudaModule*> loaded = load();
  return loaded;
}

}  // namespace hearth
