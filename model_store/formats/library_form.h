// What published files call otherwise than the transformers library, which converts while it loads: it keeps the
// experts of a layer in one tensor, gate and up fused. Models that it saved without converting back, and those
// published in its form to begin with, are read by these names.
#pragma once

#include <optional>

#include "runtime/architectures/architecture.h"

namespace hearth {

// Where a parameter lies in a file of the library's own form; nothing where that is no different.
std::optional<Storage> library_form(const ParameterSpec& spec);

}  // namespace hearth
