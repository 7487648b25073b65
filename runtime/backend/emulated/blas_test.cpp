// The emulator's multiply(): column-major with leading dimensions and batches, as cuBLASLt; what cuBLASLt refuses is
// refused.
#include <gtest/gtest.h>

#include <cmath>

#include "base/sanitizers.h"
#include "runtime/backend/blas.cuh"
#include "runtime/tensor/scalar.h"

namespace hearth::emulated::blas_test {
namespace {

constexpr int M = 5, N = 3, K = 4;

// Column-major matrices with `pad` elements of NaN below each column but the last, `n` of them one after the other.
struct Matrix {
  Matrix(Dtype dtype, int64_t rows, int64_t cols, int64_t pad, int seed, int n = 1)
      : m{dtype, rows, cols, rows + pad, (rows + pad) * cols},
        memory(static_cast<size_t>(((n - 1) * m.batch_stride + m.ld * (cols - 1) + rows) * bytes()),
               Filling::positive_nan) {
    for (int b = 0; b < n; ++b)
      for (int64_t j = 0; j < cols; ++j)
        for (int64_t i = 0; i < rows; ++i) set(i, j, static_cast<float>((i * 7 + j * 5 + seed + b * 3) % 11 - 5), b);
  }
  int64_t bytes() const { return m.dtype == Dtype::f32 ? 4 : 2; }
  int64_t place(int64_t i, int64_t j, int b) const { return b * m.batch_stride + i + j * m.ld; }
  float at(int64_t i, int64_t j, int b = 0) const {
    if (m.dtype == Dtype::f32) return reinterpret_cast<const float*>(data())[place(i, j, b)];
    const uint16_t bits = reinterpret_cast<const uint16_t*>(data())[place(i, j, b)];
    return m.dtype == Dtype::bf16 ? bf16_to_float(bits) : f16_to_float(bits);
  }
  void set(int64_t i, int64_t j, float x, int b = 0) const {
    if (m.dtype == Dtype::f32)
      reinterpret_cast<float*>(data())[place(i, j, b)] = x;
    else
      reinterpret_cast<uint16_t*>(data())[place(i, j, b)] = m.dtype == Dtype::bf16 ? float_to_bf16(x) : float_to_f16(x);
  }
  std::byte* data() const { return memory.data(); }

  BlasMatrix m;
  Guarded memory;
};

struct Types {
  Dtype ab, c;
};

void expect_product(Types types, bool trans_a, bool trans_b, float beta, int batch) {
  const Matrix a(types.ab, trans_a ? K : M, trans_a ? M : K, 2, 1, batch);
  const Matrix b(types.ab, trans_b ? N : K, trans_b ? K : N, 3, 2, batch);
  const Matrix c(types.c, M, N, 1, 3, batch), before(types.c, M, N, 1, 3, batch);
  if (beta == 0) c.set(2, 1, NAN);
  Device device;
  multiply(&device, {trans_a, trans_b, a.m, b.m, c.m, beta, batch}, a.data(), b.data(), c.data());
  const Result<void> done = device.take_result();
  ASSERT_TRUE(done) << done.error().message;
  for (int i = 0; i < batch; ++i)
    for (int64_t row = 0; row < M; ++row)
      for (int64_t col = 0; col < N; ++col) {
        float sum = beta == 0 ? 0 : beta * before.at(row, col, i);
        for (int64_t l = 0; l < K; ++l)
          sum += (trans_a ? a.at(l, row, i) : a.at(row, l, i)) * (trans_b ? b.at(col, l, i) : b.at(l, col, i));
        EXPECT_FLOAT_EQ(c.at(row, col, i), sum) << trans_a << trans_b << " " << i << ": " << row << "," << col;
      }
  EXPECT_TRUE(std::isnan(c.at(M, 0))) << "written between columns";
  EXPECT_TRUE(c.memory.is_intact());
}

TEST(EmulatedBlas, MultipliesEitherWayWithPaddedColumns) {
  for (const Types types : {Types{Dtype::f32, Dtype::f32}, Types{Dtype::bf16, Dtype::bf16},
                            Types{Dtype::bf16, Dtype::f32}, Types{Dtype::f16, Dtype::f16}})
    for (const bool trans_a : {false, true})
      for (const bool trans_b : {false, true})
        for (const float beta : {0.0f, 1.0f, 0.5f})
          for (const int batch : {1, 3}) expect_product(types, trans_a, trans_b, beta, batch);
}

// Sums are f32: in bf16, 256 + 1 is 256.
TEST(EmulatedBlas, AccumulatesNarrowMatricesInF32) {
  const Matrix a(Dtype::bf16, 1, 300, 0, 0), b(Dtype::bf16, 300, 1, 0, 0), c(Dtype::f32, 1, 1, 0, 0);
  for (int64_t i = 0; i < 300; ++i) a.set(0, i, 1), b.set(i, 0, 1);
  Device device;
  multiply(&device, {false, false, a.m, b.m, c.m}, a.data(), b.data(), c.data());
  EXPECT_EQ(c.at(0, 0), 300);
}

TEST(EmulatedBlas, WrongArgumentsAreRefused) {
  const Matrix a(Dtype::f32, M, K, 0, 1), b(Dtype::f32, K, N, 0, 2), c(Dtype::f32, M, N, 0, 3);
  const BlasProduct right{false, false, a.m, b.m, c.m};
  const auto refusal = [&](const BlasProduct& product, const void* left) -> std::string {
    Device device;
    multiply(&device, product, left, b.data(), c.data());
    const Result<void> result = device.take_result();
    return result ? "" : result.error().message;
  };
  EXPECT_EQ(refusal(right, a.data()), "");
  EXPECT_NE(refusal(right, nullptr).find("a is null"), std::string::npos);
  EXPECT_NE(refusal(right, a.data() + 1).find("a is unaligned"), std::string::npos);
  const auto expect_refused = [&](auto change, std::string_view why) {
    BlasProduct wrong = right;
    change(wrong);
    const std::string said = refusal(wrong, a.data());
    EXPECT_NE(said.find(why), std::string::npos) << said;
  };
  expect_refused([](BlasProduct& p) { p.a.ld = M - 1; }, "of a, 4, is less than its 5 rows");
  expect_refused([](BlasProduct& p) { p.b.ld = K - 1; }, "of b");
  expect_refused([](BlasProduct& p) { p.c.ld = M - 1; }, "of c");
  expect_refused([](BlasProduct& p) { p.trans_b = true; }, "5 x 4 times 3 x 4 into 5 x 3");
  expect_refused([](BlasProduct& p) { p.trans_a = true; }, "4 x 5 times 4 x 3");
  expect_refused([](BlasProduct& p) { p.c.cols = N - 1; }, "into 5 x 2");
  expect_refused([](BlasProduct& p) { p.c.rows = 0; }, "c is 0 x 3");
  expect_refused([](BlasProduct& p) { p.a.cols = -1; }, "a is 5 x -1");
  expect_refused([](BlasProduct& p) { p.a.dtype = Dtype::bf16; }, "bf16 times f32");
  expect_refused([](BlasProduct& p) { p.c.dtype = Dtype::f16; }, "into f16");
  expect_refused([](BlasProduct& p) { p.b.dtype = Dtype::q8_0; }, "b is q8_0");
  expect_refused([](BlasProduct& p) { p.batch = 0; }, "batch of 0");
  expect_refused(
      [](BlasProduct& p) {
        p.batch = 2;
        p.c.batch_stride = M * N - 1;
      },
      "overlap");
  expect_refused([](BlasProduct& p) { p.b.batch_stride = -1; }, "stride of b");
}

// cuBLASLt cannot know how much memory there is; the block's exact size tells.
TEST(EmulatedBlas, ALeadingDimensionThatIsTooLargeReadsBeyondTheMatrix) {
  const Matrix a(Dtype::f32, M, K, 0, 1), b(Dtype::f32, K, N, 0, 2), c(Dtype::f32, M, N, 0, 3);
  auto multiply_wrongly = [&] {
    BlasProduct product{false, false, a.m, b.m, c.m};
    product.a.ld = M + 1;
    Device device;
    multiply(&device, product, a.data(), b.data(), c.data());
  };
#if HEARTH_HAS_ASAN
  EXPECT_DEATH(multiply_wrongly(), "heap-buffer-overflow");
#else
  multiply_wrongly();
  EXPECT_TRUE(std::isnan(c.at(M - 1, 0)));
#endif
}

}  // namespace
}  // namespace hearth::emulated::blas_test
