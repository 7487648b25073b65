// A clear refusal when a run would need more memory than this process may still use.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace hearth::train {

// resource_exhausted, with both figures and what to change, when `needed` exceeds what is available.
Result<void> check_memory(uint64_t needed_bytes, std::string_view what);

}  // namespace hearth::train
