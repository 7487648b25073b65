// Every op's samples: what the test engine and the benchmarks loop over.
#pragma once

#include <vector>

#include "runtime/ops/op.h"

namespace hearth {

std::vector<Sample> all_samples();

}  // namespace hearth
