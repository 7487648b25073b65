// The list of every backend. A new one adds its line in devices.cpp, and nothing else outside its folder.
#pragma once

#include "runtime/backend/cpu/cpu_backend.h"

namespace hearth {

// The CPU, as it is, with n_threads threads (0: Team::default_threads()).
std::unique_ptr<CpuBackend> open_cpu(int n_threads, bool fixed_order = false);

inline constexpr std::string_view kHostDevice = "cpu";
// The same, slower, where an answer's bits depend on nothing that is computed beside it (cpu_kernels.h).
inline constexpr std::string_view kDeterministicHost = "cpu:deterministic";
inline bool is_host_device(std::string_view name) {
  return name == kHostDevice || name == kDeterministicHost;
}
inline constexpr std::string_view kAnyDevice = "auto";  // whoever runs a model tries devices_to_try(), then the host

// invalid_argument: neither "auto" nor a name that open_device() knows; nothing is opened.
Result<void> check_device_name(std::string_view name);

// The accelerators that "auto" tries, by their numbers; empty: `why_none` says why in words, or is empty where this box
// has none.
std::vector<std::string> devices_to_try(std::string& why_none);

// "cpu", "cpu:deterministic", "cuda", "cuda:1", "cuda:1:f32": activations on a GPU are bf16 else. "emulated:7" is the
// CUDA kernels with f32 activations in the order of seed 7, "emulated:7:bf16" with those of a GPU. invalid_argument
// lists the names; failed_precondition says why the device is not to be had.
Result<std::unique_ptr<Backend>> open_device(std::string_view name, int n_threads);

}  // namespace hearth
