// Products of a few rows, for every dtype on every instruction set of this machine: values, independence of the batch,
// and that no dtype is unpacked number by number.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "hwdetect/cpu_features.h"
#include "runtime/backend/worker.h"
#include "runtime/ops/rules.h"

namespace hearth {

using DotRows = void (*)(int64_t M, int64_t N, int64_t K, const float* x, Dtype w_dtype, const void* w, float* y,
                         const Worker& me);
#define HEARTH_DECLARE(ISA)                                                                              \
  namespace ISA {                                                                                        \
  void dot_rows(int64_t M, int64_t N, int64_t K, const float* x, Dtype w_dtype, const void* w, float* y, \
                const Worker& me);                                                                       \
  }
HEARTH_DECLARE(portable)
#if defined(__x86_64__)
HEARTH_DECLARE(avx2)
HEARTH_DECLARE(avx512)
#endif
#undef HEARTH_DECLARE

namespace dot_rows_test {
namespace {

struct Level {
  const char* name;
  DotRows dot_rows;
};

std::vector<Level> runnable_levels() {
  std::vector<Level> out = {{"portable", portable::dot_rows}};
#if defined(__x86_64__)
  const CpuFeatures& f = cpu_features();
  if (f.avx2 && f.fma && f.f16c) out.push_back({"avx2", avx2::dot_rows});
  if (out.size() == 2 && f.avx512f && f.avx512bw && f.avx512vl) out.push_back({"avx512", avx512::dot_rows});
#endif
  return out;
}

// Rows of several blocks, and a number of rows that leaves each kind of remainder.
constexpr int64_t kRows = 8, kN = 21, kK = 768;

struct Product {
  Tensor x, w, w_floats;
};

Product product(Dtype dtype, int64_t M, int64_t N, int64_t K) {
  Product out{random_tensor({M, K}, 1), random_weights(dtype, {N, K}, 2), {}};
  out.w_floats = to_f32(out.w.view());
  return out;
}

std::vector<float> run(const Level& level, const Product& p, int64_t first_row, int64_t M) {
  const int64_t N = p.w.type().shape[0], K = p.w.type().shape[1];
  std::vector<float> y(static_cast<size_t>(M * N), NAN);
  level.dot_rows(M, N, K, p.x.f32() + first_row * K, p.w.type().dtype, p.w.view().data, y.data(), Worker{});
  return y;
}

TEST(DotRows, EveryDtypeEqualsItsDequantisedWeights) {
  for (Dtype dtype : weight_dtypes()) {
    const Product p = product(dtype, kRows, kN, kK);
    for (const Level& level : runnable_levels()) {
      SCOPED_TRACE(std::string(dtype_info(dtype).name) + " " + level.name);
      const std::vector<float> got = run(level, p, 0, kRows);
      for (int64_t m = 0; m < kRows; ++m)
        for (int64_t n = 0; n < kN; ++n) {
          double sum = 0, magnitude = 0;
          for (int64_t k = 0; k < kK; ++k) {
            const double term = static_cast<double>(p.x.f32()[m * kK + k]) * p.w_floats.f32()[n * kK + k];
            sum += term, magnitude += std::fabs(term);
          }
          EXPECT_NEAR(got[static_cast<size_t>(m * kN + n)], sum, 2e-6 * magnitude) << "row " << m << " column " << n;
        }
    }
  }
}

TEST(DotRows, ARowDoesNotDependOnItsBatch) {
  for (Dtype dtype : weight_dtypes()) {
    const Product p = product(dtype, kRows, kN, kK);
    for (const Level& level : runnable_levels()) {
      const std::vector<float> all = run(level, p, 0, kRows);
      for (int64_t M = 1; M < kRows; ++M)
        for (int64_t first : {int64_t{0}, kRows - M}) {
          const std::vector<float> some = run(level, p, first, M);
          EXPECT_EQ(std::memcmp(some.data(), all.data() + first * kN, some.size() * sizeof(float)), 0)
              << dtype_info(dtype).name << " " << level.name << ": " << M << " rows from " << first;
        }
    }
  }
}

}  // namespace
}  // namespace dot_rows_test
}  // namespace hearth
