// The list of every backend. A new one adds its line in devices.cpp, and nothing else outside its folder.
#pragma once

#include "runtime/backend/cpu/cpu_backend.h"

namespace hearth {

// The CPU, as it is, with n_threads threads (0: Team::default_threads()).
std::unique_ptr<CpuBackend> open_cpu(int n_threads);

// "cpu", "cuda", "cuda:1". invalid_argument lists the names; failed_precondition says why the device is not to be had.
Result<std::unique_ptr<Backend>> open_device(std::string_view name, int n_threads);

}  // namespace hearth
