// y = x · wᵀ for a few rows of x: decode. Weights are read once, widened in registers or in L1.
#pragma once

#include "runtime/backend/worker.h"
#include "runtime/tensor/dtype.h"

namespace hearth::HEARTH_ISA {

constexpr int64_t kMaxDotRows = 8;

// x [M, K] f32 with M <= kMaxDotRows, w [N, K] of any weight dtype → y [M, N]. Every thread of the team calls it.
// A row of y does not depend on the other rows of x, nor on how many there are.
void dot_rows(int64_t M, int64_t N, int64_t K, const float* x, Dtype w_dtype, const void* w, float* y,
              const Worker& me);

}  // namespace hearth::HEARTH_ISA
