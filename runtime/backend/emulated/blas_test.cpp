// The emulator's sgemm: column-major with leading dimensions, as cuBLAS; what cuBLAS refuses is refused.
#include <gtest/gtest.h>

#include <cmath>

#include "runtime/backend/emulated/sanitizers.h"
#include "runtime/backend/blas.cuh"

namespace hearth::emulated {
namespace {

constexpr int M = 5, N = 3, K = 4;

// A column-major matrix with `pad` elements of NaN below each column but the last.
struct Matrix {
  Matrix(int rows, int cols, int pad, int seed)
      : ld(rows + pad), memory(static_cast<size_t>(ld * (cols - 1) + rows) * sizeof(float), Filling::positive_nan) {
    for (int j = 0; j < cols; ++j)
      for (int i = 0; i < rows; ++i) at(i, j) = static_cast<float>((i * 7 + j * 5 + seed) % 11 - 5);
  }
  float& at(int i, int j) const { return data()[i + j * ld]; }
  float* data() const { return reinterpret_cast<float*>(memory.data()); }

  int ld;
  Guarded memory;
};

TEST(EmulatedBlas, MultipliesEitherWayWithPaddedColumns) {
  for (const bool trans_a : {false, true})
    for (const bool trans_b : {false, true})
      for (const float beta : {0.0f, 1.0f, 0.5f}) {
        const Matrix a(trans_a ? K : M, trans_a ? M : K, 2, 1), b(trans_b ? N : K, trans_b ? K : N, 3, 2);
        const Matrix c(M, N, 1, 3), before(M, N, 1, 3);
        if (beta == 0) c.at(2, 1) = NAN;
        Device device;
        sgemm(&device, {M, N, K, trans_a, a.data(), a.ld, trans_b, b.data(), b.ld, beta, c.data(), c.ld});
        ASSERT_TRUE(device.take_result());
        for (int i = 0; i < M; ++i)
          for (int j = 0; j < N; ++j) {
            float sum = beta == 0 ? 0 : beta * before.at(i, j);
            for (int l = 0; l < K; ++l)
              sum += (trans_a ? a.at(l, i) : a.at(i, l)) * (trans_b ? b.at(j, l) : b.at(l, j));
            EXPECT_FLOAT_EQ(c.at(i, j), sum) << trans_a << trans_b << " " << i << "," << j;
          }
        EXPECT_TRUE(std::isnan(c.data()[M])) << "written between columns";
        EXPECT_TRUE(c.memory.is_intact());
      }
}

std::string refusal(const Sgemm& product) {
  Device device;
  sgemm(&device, product);
  const Result<void> result = device.take_result();
  return result ? "" : result.error().message;
}

TEST(EmulatedBlas, WrongArgumentsAreRefused) {
  const Matrix a(M, K, 0, 1), b(K, N, 0, 2), c(M, N, 0, 3);
  const Sgemm right{M, N, K, false, a.data(), M, false, b.data(), K, 0, c.data(), M};
  EXPECT_EQ(refusal(right), "");
  const auto with = [&](auto change) {
    Sgemm wrong = right;
    change(wrong);
    return refusal(wrong);
  };
  EXPECT_NE(with([](Sgemm& p) { p.lda = M - 1; }).find("of a, 4, is less than its 5 rows"), std::string::npos);
  EXPECT_NE(with([](Sgemm& p) { p.ldb = K - 1; }).find("of b"), std::string::npos);
  EXPECT_NE(with([](Sgemm& p) { p.ldc = M - 1; }).find("of c"), std::string::npos);
  EXPECT_NE(with([](Sgemm& p) { p.trans_b = true, p.ldb = N - 1; }).find("of b"), std::string::npos);
  EXPECT_NE(with([](Sgemm& p) { p.m = 0, p.lda = p.ldc = 0; }).find("of a, 0"), std::string::npos) << "at least 1";
  EXPECT_NE(with([](Sgemm& p) { p.n = -1; }).find("sizes"), std::string::npos);
  EXPECT_NE(with([](Sgemm& p) { p.c = nullptr; }).find("c is null"), std::string::npos);
}

// cuBLAS cannot know how much memory there is; the block's exact size tells.
TEST(EmulatedBlas, ALeadingDimensionThatIsTooLargeReadsBeyondTheMatrix) {
  const Matrix a(M, K, 0, 1), b(K, N, 0, 2), c(M, N, 0, 3);
  auto multiply = [&] {
    Device device;
    sgemm(&device, {M, N, K, false, a.data(), M + 1, false, b.data(), K, 0, c.data(), M});
  };
#if HEARTH_HAS_ASAN
  EXPECT_DEATH(multiply(), "heap-buffer-overflow");
#else
  multiply();
  EXPECT_TRUE(std::isnan(c.at(M - 1, 0)));
#endif
}

}  // namespace
}  // namespace hearth::emulated
