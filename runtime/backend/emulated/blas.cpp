// multiply() by loops. A leading dimension that cuts a column off is refused, as cuBLASLt does, and so are matrices
// that do not fit; one that is too large reads beyond the matrix, which its exact block shows.
#include "runtime/backend/blas.cuh"

#include <algorithm>
#include <vector>

#include "runtime/tensor/scalar.h"

namespace hearth::emulated {
namespace {

template <class... Arguments>
Error refuse(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  return error(Code::internal, "multiply: {}", fmt::format(format, std::forward<Arguments>(arguments)...));
}

Result<void> check_matrix(std::string_view name, const BlasMatrix& m, const void* data, int batch) {
  if (m.dtype != Dtype::f32 && m.dtype != Dtype::bf16 && m.dtype != Dtype::f16)
    return refuse("{} is {}; f32, bf16 and f16 are multiplied", name, dtype_info(m.dtype).name);
  if (m.rows < 1 || m.cols < 1) return refuse("{} is {} x {}: nothing to multiply", name, m.rows, m.cols);
  if (m.ld < m.rows) return refuse("the leading dimension of {}, {}, is less than its {} rows", name, m.ld, m.rows);
  if (data == nullptr) return refuse("{} is null", name);
  if (reinterpret_cast<uintptr_t>(data) % (m.dtype == Dtype::f32 ? 4 : 2) != 0) return refuse("{} is unaligned", name);
  if (m.batch_stride < 0) return refuse("the batch stride of {} is {}", name, m.batch_stride);
  if (batch > 1 && name == "c" && m.batch_stride < m.ld * (m.cols - 1) + m.rows)
    return refuse("results of a batch overlap: {} apart, {} x {}", m.batch_stride, m.rows, m.cols);
  return {};
}

Result<void> check_product(const BlasProduct& p) {
  const auto [m, a_depth] = p.trans_a ? std::pair(p.a.cols, p.a.rows) : std::pair(p.a.rows, p.a.cols);
  const auto [b_depth, n] = p.trans_b ? std::pair(p.b.cols, p.b.rows) : std::pair(p.b.rows, p.b.cols);
  if (a_depth != b_depth || p.c.rows != m || p.c.cols != n)
    return refuse("{} x {} times {} x {} into {} x {}", m, a_depth, b_depth, n, p.c.rows, p.c.cols);
  if (p.a.dtype != p.b.dtype || (p.c.dtype != p.a.dtype && p.c.dtype != Dtype::f32))
    return refuse("{} times {} into {}; a and b are of one dtype, and c of that or f32", dtype_info(p.a.dtype).name,
                  dtype_info(p.b.dtype).name, dtype_info(p.c.dtype).name);
  if (p.batch < 1) return refuse("a batch of {}", p.batch);
  return {};
}

Result<void> check_all(const BlasProduct& p, const void* a, const void* b, const void* c) {
  TRY(check_matrix("a", p.a, a, p.batch));
  TRY(check_matrix("b", p.b, b, p.batch));
  TRY(check_matrix("c", p.c, c, p.batch));
  return check_product(p);
}

float load(Dtype dtype, const void* data, int64_t i) {
  if (dtype == Dtype::f32) return static_cast<const float*>(data)[i];
  const uint16_t bits = static_cast<const uint16_t*>(data)[i];
  return dtype == Dtype::bf16 ? bf16_to_float(bits) : f16_to_float(bits);
}
void store(Dtype dtype, void* data, int64_t i, float x) {
  if (dtype == Dtype::f32)
    static_cast<float*>(data)[i] = x;
  else
    static_cast<uint16_t*>(data)[i] = dtype == Dtype::bf16 ? float_to_bf16(x) : float_to_f16(x);
}

// One matrix of a batch with op applied: [rows][cols], columns one after the other, in f32.
std::vector<float> widened(const BlasMatrix& m, bool transposes, const void* data, int64_t first) {
  std::vector<float> out;
  out.reserve(static_cast<size_t>(m.rows * m.cols));
  if (transposes) {
    for (int64_t i = 0; i < m.rows; ++i)
      for (int64_t j = 0; j < m.cols; ++j) out.push_back(load(m.dtype, data, first + i + j * m.ld));
  } else {
    for (int64_t j = 0; j < m.cols; ++j)
      for (int64_t i = 0; i < m.rows; ++i) out.push_back(load(m.dtype, data, first + i + j * m.ld));
  }
  return out;
}

// The terms in the order of k, whichever way the matrices lie.
void multiply_one(const BlasProduct& p, const std::vector<float>& a, const std::vector<float>& b, void* c,
                  int64_t first) {
  const int64_t m = p.c.rows, k = p.trans_a ? p.a.rows : p.a.cols;
  std::vector<float> column(static_cast<size_t>(m));
  for (int64_t j = 0; j < p.c.cols; ++j) {
    const int64_t at = first + j * p.c.ld;
    for (int64_t i = 0; i < m; ++i)
      column[static_cast<size_t>(i)] = p.beta == 0 ? 0.0f : p.beta * load(p.c.dtype, c, at + i);
    for (int64_t l = 0; l < k; ++l) {
      const float* left = a.data() + l * m;
      const float right = b[static_cast<size_t>(j * k + l)];
      for (int64_t i = 0; i < m; ++i) column[static_cast<size_t>(i)] += left[i] * right;
    }
    for (int64_t i = 0; i < m; ++i) store(p.c.dtype, c, at + i, column[static_cast<size_t>(i)]);
  }
}

}  // namespace

void multiply(Stream stream, const BlasProduct& p, const void* a, const void* b, void* c) {
  const Result<void> valid = check_all(p, a, b, c);
  if (!valid) return stream->fail(valid.error());
  for (int64_t i = 0; i < p.batch; ++i)
    multiply_one(p, widened(p.a, p.trans_a, a, i * p.a.batch_stride), widened(p.b, p.trans_b, b, i * p.b.batch_stride),
                 c, i * p.c.batch_stride);
}

}  // namespace hearth::emulated
