// A clear refusal when a run would need more memory than this process may still use.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/phrase.h"
#include "base/result.h"

namespace hearth::train {

// resource_exhausted, with both figures and what to change, when `needed` exceeds what is available; then also `cause`.
Result<void> check_memory(uint64_t needed_bytes, std::string_view what, Phrase& cause);

}  // namespace hearth::train
