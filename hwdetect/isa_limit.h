// Makes this process see a lesser CPU than there is, to measure and test what other machines run.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth {

// The levels that kernels exist for and this CPU runs, lowest first: "portable", then "avx2", "avx512". Not lowered by
// limit_isa().
std::vector<std::string> isa_levels();

// From now on cpu_features() has no instructions beyond `level`. Call it before other threads are started; plans that
// were made keep their kernels. invalid_argument: not one of isa_levels().
Result<void> limit_isa(std::string_view level);

}  // namespace hearth
