// How much of a model's weights a step reads: all of most, the chosen experts of a stack, the tokens' rows of a table.
#pragma once

#include "runtime/architectures/architecture.h"

namespace hearth {

// The expected part of a parameter that a step of n_tokens tokens (>= 1) reads:
//   a stack of E experts, k chosen by each token    1 - (1 - k/E)^n, with routing that spreads evenly; n = 1: k/E
//   a table of V rows that is only looked up        n / V, at most 1; not an embedding that is the output matrix too
//   anything else                                   1
double read_share(const ParameterSpec& spec, const ModelConfig& config, int n_tokens = 1);

// The same of all weights together, as if all had one dtype. Errors: an unknown family.
Result<double> read_share(const ModelConfig& config, int n_tokens = 1);

}  // namespace hearth
