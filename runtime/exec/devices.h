// The list of every backend. A new one adds its line in devices.cpp, and nothing else outside its folder.
#pragma once

#include <functional>
#include <span>

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

// What a program's --device says of itself.
inline constexpr const char* kDeviceHelp =
    "What computes: auto (a GPU that computes what the CPU does, else the CPU) | cpu[:deterministic] | "
    "cuda[:number][:f32|:bf16] | emulated[:seed][:f32|:bf16]";

// invalid_argument: neither "auto" nor a name that open_device() knows; nothing is opened.
Result<void> check_device_name(std::string_view name);

// The accelerators that "auto" tries, by their numbers; empty: `why_none` says why in words, or is empty where this box
// has none.
std::vector<std::string> devices_to_try(std::string& why_none);

// What computes, and why it is no other.
struct Device {
  std::string name;       // as open_device() takes it
  std::string reason;     // why it is the host although this box has an accelerator; else empty
  std::string note = "";  // what of the weights it has no room for (Residency::words()); else empty
};

// Has `open` try the device `wanted`; of "auto" the accelerators of devices_to_try() in turn, and then the host. `open`
// keeps what it opened, and refuses a device that has not the room or the kernels, or computes something else. A device
// by name is used, or its error returned.
using OpenOn = std::function<Result<void>(const std::string& name)>;
Result<Device> choose_device(const std::string& wanted, const OpenOn& open);
// "auto" among these; `why_none` is the reason where there are none.
Result<Device> choose_among(std::span<const std::string> accelerators, std::string why_none, const OpenOn& open);

// "cpu", "cpu:deterministic", "cuda", "cuda:1", "cuda:1:f32": activations on a GPU are bf16 else. "emulated:7" is the
// CUDA kernels with f32 activations in the order of seed 7, "emulated:7:bf16" with those of a GPU, and
// "emulated:7:640KiB" has no more memory than that. invalid_argument lists the names; failed_precondition says why the
// device is not to be had.
Result<std::unique_ptr<Backend>> open_device(std::string_view name, int n_threads);

}  // namespace hearth
