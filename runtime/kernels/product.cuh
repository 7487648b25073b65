// Products of row-major matrices by BLAS, with weights of any dtype, which are widened in panels of rows into scratch.
#pragma once

#include "runtime/backend/blas.cuh"
#include "runtime/kernels/weight_dot.cuh"

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
inline constexpr int64_t kMinPanelWidth = 64;

// Some rows of a matrix, or some columns of it, as f32 or bf16 numbers.
struct Panel {
  int64_t first = 0, n = 0;
  RowOperand numbers;
};

// How many rows, or columns of that many numbers, are in a panel.
inline int64_t panel_width(int64_t n, int64_t numbers_each) {
  const int64_t fit = numbers_each == 0 ? n : kPanelElements / numbers_each / kMinPanelWidth * kMinPanelWidth;
  return fit > n ? n : fit < kMinPanelWidth ? (n < kMinPanelWidth ? n : kMinPanelWidth) : fit;
}

// Of scratch for the panels of w; none when it is multiplied as it is.
inline size_t panel_bytes(const TensorType& w, Dtype activations) {
  if (w.dtype == activations) return 0;
  const int64_t rows = w.shape[0], cols = w.shape[1];
  const int64_t by_rows = panel_width(rows, cols) * cols, by_cols = panel_width(cols, rows) * rows;
  return static_cast<size_t>(by_rows > by_cols ? by_rows : by_cols) * (activations == Dtype::bf16 ? 2 : 4);
}

// out [rows][cols] = source [rows][ld], from column `col` on.
template <Dtype dtype, class A>
__global__ void widen_kernel(const void* source, int64_t first, int64_t ld, A* out, int64_t cols, int64_t n) {
  const int64_t i = thread_index();
  if (i < n) out[i] = weight_at<dtype>(source, first + i / cols * ld + i % cols);
}

// Calls body(panel) for all of w, which enters products of activations A. A product with op(w) [K,N] sums over whole
// columns of that: w is cut along its rows where it is transposed, else along its columns, so nothing is added twice.
template <class A, class Body>
void for_panels(const TensorView& w, bool transposes, std::byte* scratch, Stream stream, const Body& body) {
  constexpr Dtype dtype_of_a = kDtypeOf<A>;
  const int64_t rows = w.dim(0), cols = w.dim(1), n_all = transposes ? rows : cols;
  if (w.type.dtype == dtype_of_a) return body(Panel{0, n_all, {dtype_of_a, w.data, transposes, cols}});
  const int64_t step = panel_width(n_all, transposes ? cols : rows);
  for (int64_t first = 0; first < n_all; first += step) {
    const int64_t width = step < n_all - first ? step : n_all - first;
    const int64_t begin = transposes ? first * cols : first, ld = transposes ? cols : width;
    const int64_t n = width * (transposes ? cols : rows);
    auto* out = reinterpret_cast<A*>(scratch);
    with_weight_dtype(w.type.dtype, [&]<Dtype dtype>() {
      launch_kernel<widen_kernel<dtype, A>>(blocks_for(n), kBlock, 0, stream, w.data, begin, cols, out, ld, n);
    });
    body(Panel{first, width, {dtype_of_a, scratch, transposes, ld}});
  }
}

}  // namespace hearth::HEARTH_GPU
