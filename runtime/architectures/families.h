// The families: a new one adds its file and its line here.
#pragma once

#include "runtime/architectures/architecture.h"

namespace hearth {

const Architecture& llama();

}  // namespace hearth
