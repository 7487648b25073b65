// How much memory this service may still use: the machine's, or its cgroup's where that is less.
#pragma once

#include <cstdint>

namespace hearth {

uint64_t total_memory_bytes();      // 0: cannot be read
uint64_t available_memory_bytes();  // 0: cannot be read

}  // namespace hearth
