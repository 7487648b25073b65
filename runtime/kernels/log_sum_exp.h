// The two passes of a row's log-sum-exp, which is shift + log(sum): the largest element, and the sum above it.
#pragma once

#include <cmath>

#include "runtime/kernels/simd.h"

namespace hearth::HEARTH_ISA {

static inline float largest(const float* x, int64_t n) {
  Vec m0 = splat(-INFINITY), m1 = m0;
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) m0 = max(m0, load(x + i)), m1 = max(m1, load(x + i + kLanes));
  over(i, n, [&](int64_t j, auto lanes) { m0 = max(m0, with_fill(load(x + j, lanes), lanes, -INFINITY)); });
  return max_lanes(max(m0, m1));
}

// In two partial sums whose order depends on n only.
static inline float sum_of_exp(const float* x, float shift, int64_t n) {
  Vec s0{}, s1{};
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    s0 += exp(load(x + i) - shift);
    s1 += exp(load(x + i + kLanes) - shift);
  }
  over(i, n, [&](int64_t j, auto lanes) { s0 += with_fill(exp(load(x + j, lanes) - shift), lanes, 0); });
  return sum_lanes(s0 + s1);
}

}  // namespace hearth::HEARTH_ISA
