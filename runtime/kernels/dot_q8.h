// y = x · wᵀ where both are quantised: the levels are multiplied as integers. Decode of quantised models.
#pragma once

#include "runtime/backend/worker.h"
#include "runtime/tensor/dtype.h"

namespace hearth::HEARTH_ISA {

// Beyond, the weights are widened once and multiplied as floats (gemm.h).
constexpr int64_t kMaxIntegerDotRows = 32;

// This CPU multiplies and adds four pairs of bytes with one instruction (AVX-512 VNNI, or AVX-VNNI in code for AVX2).
bool has_byte_products();

// x [M, K] q8_0 with M <= kMaxIntegerDotRows, w [N, K] of a dtype that has_integer_levels() → y [M, N] f32. Every
// thread of the team calls it. A row of y does not depend on the other rows of x, nor on how many there are.
// `byte_products`: use that instruction; the bits are the same.
void dot_q8(int64_t M, int64_t N, int64_t K, const void* x, Dtype w_dtype, const void* w, float* y, bool byte_products,
            const Worker& me);

}  // namespace hearth::HEARTH_ISA
