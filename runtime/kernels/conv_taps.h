// The taps of a causal convolution over a range of channels: shared by causal_conv1d and causal_conv1d_cached.
#pragma once

#include "runtime/kernels/convert.h"
#include "runtime/kernels/simd.h"
#include "runtime/tensor/tensor.h"

namespace hearth::HEARTH_ISA {

// w [C, W] of f32, f16 or bf16, channels begin..end → taps [W][end - begin].
HEARTH_INLINE void transpose_taps(const TensorView& w, int64_t begin, int64_t end, float* taps) {
  constexpr int64_t kMostTaps = 16;
  const int64_t W = w.dim(1), n = end - begin;
  float row[kMostTaps];
  for (int64_t c = 0; c < n; ++c) {
    widen(w.type.dtype, w.data, (begin + c) * W, row, W);
    for (int64_t j = 0; j < W; ++j) taps[j * n + c] = row[j];
  }
}

// y[c] = Σ_j taps[j][c] rows[j][c] over the taps first..W-1.
HEARTH_INLINE void filter(const float* taps, int64_t n, const float* const* rows, int64_t first, int64_t W, float* y) {
  over(0, n, [&](int64_t c, auto lanes) {
    Vec sum{};
    for (int64_t j = first; j < W; ++j) sum += load(taps + j * n + c, lanes) * load(rows[j] + c, lanes);
    store(y + c, sum, lanes);
  });
}

}  // namespace hearth::HEARTH_ISA
