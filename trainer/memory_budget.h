// How much memory this process may still use, and a clear refusal when a run would need more.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace hearth::train {

// The smaller of the machine's available memory and what this process's control group has left. 0: not readable.
uint64_t available_memory_bytes();

// resource_exhausted, with both figures and what to change, when `needed` exceeds what is available.
Result<void> check_memory(uint64_t needed_bytes, std::string_view what);

}  // namespace hearth::train
