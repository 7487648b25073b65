// Memory that this process may use now: the one reader of /proc/meminfo and of control groups.
#pragma once

#include <cstdint>

#include "hwdetect/profile.h"

namespace hearth {

struct MemoryNow {
  Reading<uint64_t> total_bytes;      // of the box, or the tightest limit of a control group above this process
  Reading<uint64_t> available_bytes;  // without swapping; file cache counts, since it can be dropped
};

// Control groups of version 1 and 2, of this process and all that it is in.
MemoryNow memory_now(const DetectOptions& options = {});

// The same of this machine; 0: cannot be read.
uint64_t total_memory_bytes();
uint64_t available_memory_bytes();

}  // namespace hearth
