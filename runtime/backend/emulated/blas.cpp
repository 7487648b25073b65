// sgemm by loops. A leading dimension that cuts a column off is refused, as cuBLAS does; one that is too large reads
// beyond the matrix, which its exact block shows.
#include <algorithm>

#include "runtime/backend/blas.cuh"

namespace hearth::emulated {
namespace {

Result<void> check_matrix(std::string_view name, const float* data, int rows, int cols, int ld) {
  if (ld < std::max(1, rows))
    return error(Code::internal, "sgemm: the leading dimension of {}, {}, is less than its {} rows", name, ld, rows);
  if (data == nullptr && rows > 0 && cols > 0) return error(Code::internal, "sgemm: {} is null", name);
  return {};
}

Result<void> check_product(const Sgemm& p) {
  if (p.m < 0 || p.n < 0 || p.k < 0) return error(Code::internal, "sgemm: sizes {} x {} x {}", p.m, p.n, p.k);
  TRY(check_matrix("a", p.a, p.trans_a ? p.k : p.m, p.trans_a ? p.m : p.k, p.lda));
  TRY(check_matrix("b", p.b, p.trans_b ? p.n : p.k, p.trans_b ? p.k : p.n, p.ldb));
  return check_matrix("c", p.c, p.m, p.n, p.ldc);
}

int64_t at(int row, int col, int ld) {
  return row + static_cast<int64_t>(col) * ld;
}

// Column j of c: the terms in the order of k, whichever way the matrices lie.
void column(const Sgemm& p, int j) {
  float* c = p.c + at(0, j, p.ldc);
  if (p.beta == 0)
    std::fill_n(c, p.m, 0.0f);
  else
    std::for_each(c, c + p.m, [&](float& x) { x *= p.beta; });
  if (p.trans_a) {
    for (int i = 0; i < p.m; ++i)
      for (int l = 0; l < p.k; ++l) c[i] += p.a[at(l, i, p.lda)] * p.b[p.trans_b ? at(j, l, p.ldb) : at(l, j, p.ldb)];
    return;
  }
  for (int l = 0; l < p.k; ++l) {
    const float b = p.b[p.trans_b ? at(j, l, p.ldb) : at(l, j, p.ldb)];
    for (int i = 0; i < p.m; ++i) c[i] += p.a[at(i, l, p.lda)] * b;
  }
}

}  // namespace

void sgemm(Stream stream, const Sgemm& product) {
  const Result<void> valid = check_product(product);
  if (!valid) return stream->fail(valid.error());
  for (int j = 0; j < product.n; ++j) column(product, j);
}

}  // namespace hearth::emulated
