// Products of row-major matrices by BLAS, with weights of any dtype, which are widened in panels of rows into scratch.
#pragma once

#include "runtime/backend/blas.cuh"
#include "runtime/kernels/cuda_common.cuh"

namespace hearth::HEARTH_GPU {

// A matrix as it lies in memory, row-major, and how it enters a product.
struct RowOperand {
  Dtype dtype = Dtype::f32;
  const void* data = nullptr;
  bool transposes = false;
  int64_t ld = 0;
};

// c [M,N] (+)= op(a) [M,K] · op(b) [K,N].
struct RowProduct {
  int64_t M = 0, N = 0, K = 0;
  RowOperand a, b;
  Dtype dtype = Dtype::f32;  // of c
  void* c = nullptr;
  int64_t ldc = 0;
  bool adds = false;
};

// BLAS is column-major: cᵀ = op(b)ᵀ · op(a)ᵀ, and a row-major matrix is its own transpose there.
inline void multiply(Stream stream, const RowProduct& p) {
  if (p.M == 0 || p.N == 0) return;
  const auto stored = [](const RowOperand& m, int64_t rows, int64_t cols) {
    return m.transposes ? BlasMatrix{m.dtype, rows, cols, m.ld} : BlasMatrix{m.dtype, cols, rows, m.ld};
  };
  multiply(stream,
           {.trans_a = p.b.transposes,
            .trans_b = p.a.transposes,
            .a = stored(p.b, p.K, p.N),
            .b = stored(p.a, p.M, p.K),
            .c = {p.dtype, p.N, p.M, p.ldc},
            .beta = p.adds ? 1.0f : 0.0f},
           p.b.data, p.a.data, p.c);
}

// ---- panels ----

inline constexpr int64_t kPanelElements = int64_t{4} << 20;  // f32: 16 MiB, which large GPUs' L2 holds; few launches

inline int64_t panel_rows(int64_t n_rows, int64_t n_cols) {
  const int64_t fit = n_cols == 0 ? n_rows : kPanelElements / n_cols;
  return fit < 1 ? 1 : fit < n_rows ? fit : n_rows;
}

// Of scratch for the panels of w; none when it is multiplied as it is.
inline size_t panel_bytes(const TensorType& w) {
  if (w.dtype == Dtype::f32) return 0;
  return static_cast<size_t>(panel_rows(w.shape[0], w.shape[1]) * w.shape[1]) * sizeof(float);
}

template <Dtype dtype>
__global__ void widen_kernel(const void* source, int64_t offset, float* out, int64_t n) {
  const int64_t i = thread_index();
  if (i < n) out[i] = weight_at<dtype>(source, offset + i);
}

// Calls body(first row, rows, their elements in f32) for all of w.
template <class Body>
void for_panels(const TensorView& w, std::byte* scratch, Stream stream, const Body& body) {
  const int64_t n_rows = w.dim(0), n_cols = w.dim(1), step = panel_rows(n_rows, n_cols);
  if (w.type.dtype == Dtype::f32) return body(0, n_rows, static_cast<const float*>(w.data));
  auto* panel = reinterpret_cast<float*>(scratch);
  for (int64_t row = 0; row < n_rows; row += step) {
    const int64_t rows = step < n_rows - row ? step : n_rows - row, n = rows * n_cols;
    with_weight_dtype(w.type.dtype, [&]<Dtype dtype>() {
      launch_kernel<widen_kernel<dtype>>(blocks_for(n), kBlock, 0, stream, w.data, row * n_cols, panel, n);
    });
    body(row, rows, static_cast<const float*>(panel));
  }
}

}  // namespace hearth::HEARTH_GPU
