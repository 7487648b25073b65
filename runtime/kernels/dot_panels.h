// y = x · wᵀ where both are quantised and w lies in panels (tensor/panels.h). Decode and prefill of quantised models:
// any number of rows.
#pragma once

#include "runtime/backend/worker.h"
#include "runtime/tensor/tensor.h"

namespace hearth::HEARTH_ISA {

// The layout that it reads weights of this dtype in; row-major: it does not.
Layout panels_for(Dtype w_dtype);

// x [M, K] q8_0, w [N, K] in panels_for(w_dtype) → y [M, N] f32. Every thread of the team calls it. A row of y does not
// depend on the other rows of x, nor on how many there are. `byte_products`: as of dot_q8(); the bits are the same.
void dot_panels(int64_t M, int64_t N, int64_t K, const void* x, Dtype w_dtype, const void* w, float* y,
                bool byte_products, const Worker& me);

}  // namespace hearth::HEARTH_ISA
