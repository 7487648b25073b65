// Integer products of quantised rows, for every dtype that has them, on every instruction set of this machine: values,
// independence of the batch, and that the byte-product instruction gives the bits of the code without it.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "hwdetect/cpu_features.h"
#include "runtime/backend/worker.h"
#include "runtime/ops/rules.h"

#if defined(__x86_64__)

namespace hearth {

using DotQ8 = void (*)(int64_t M, int64_t N, int64_t K, const void* x, Dtype w_dtype, const void* w, float* y,
                       bool byte_products, const Worker& me);
#define HEARTH_DECLARE(ISA)                                                                           \
  namespace ISA {                                                                                     \
  void dot_q8(int64_t M, int64_t N, int64_t K, const void* x, Dtype w_dtype, const void* w, float* y, \
              bool byte_products, const Worker& me);                                                  \
  }
HEARTH_DECLARE(avx2)
HEARTH_DECLARE(avx512)
#undef HEARTH_DECLARE

namespace dot_q8_test {
namespace {

struct Level {
  const char* name;
  DotQ8 dot;
  bool byte_products;
};

std::vector<Level> runnable_levels() {
  std::vector<Level> out;
  const CpuFeatures& f = cpu_features();
  if (!f.avx2 || !f.fma || !f.f16c) return out;
  out.push_back({"avx2", avx2::dot_q8, false});
  if (f.avx_vnni) out.push_back({"avx2 with VNNI", avx2::dot_q8, true});
  if (!f.avx512f || !f.avx512bw || !f.avx512vl) return out;
  out.push_back({"avx512", avx512::dot_q8, false});
  if (f.avx512vnni) out.push_back({"avx512 with VNNI", avx512::dot_q8, true});
  return out;
}

std::vector<Dtype> integer_dtypes() {
  std::vector<Dtype> out;
  for (Dtype dtype : weight_dtypes())
    if (has_integer_levels(dtype)) out.push_back(dtype);
  return out;
}

// Rows of several blocks, and a number of rows that leaves each kind of remainder.
constexpr int64_t kRows = 32, kN = 21, kK = 768;

struct Product {
  Tensor x, w, x_floats, w_floats;
};

// Two rows of x hold the largest levels of both signs, so that a sum that saturates would show.
Product product(Dtype dtype) {
  Tensor x = random_tensor({kRows, kK}, 1);
  for (int64_t k = 0; k < kK; ++k) x.f32()[k] = 1, x.f32()[kK + k] = k % 2 ? -1 : 1;
  Product out{Tensor(TensorType{Dtype::q8_0, {kRows, kK}}), random_weights(dtype, {kN, kK}, 2), {}, {}};
  from_float(Dtype::q8_0, x.f32(), out.x.view().data, kRows * kK);
  out.x_floats = to_f32(out.x.view());
  out.w_floats = to_f32(out.w.view());
  return out;
}

std::vector<float> run(const Level& level, const Product& p, int64_t first_row, int64_t M) {
  std::vector<float> y(static_cast<size_t>(M * kN), NAN);
  const char* x = p.x.view().as<const char>() + dtype_bytes(Dtype::q8_0, first_row * kK);
  level.dot(M, kN, kK, x, p.w.type().dtype, p.w.view().data, y.data(), level.byte_products, Worker{});
  return y;
}

TEST(DotQ8, EveryDtypeEqualsTheProductOfWhatBothStandFor) {
  for (Dtype dtype : integer_dtypes()) {
    const Product p = product(dtype);
    for (const Level& level : runnable_levels()) {
      SCOPED_TRACE(std::string(dtype_info(dtype).name) + " " + level.name);
      const std::vector<float> got = run(level, p, 0, kRows);
      for (int64_t m = 0; m < kRows; ++m)
        for (int64_t n = 0; n < kN; ++n) {
          double sum = 0, magnitude = 0;
          for (int64_t k = 0; k < kK; ++k) {
            const double term = static_cast<double>(p.x_floats.f32()[m * kK + k]) * p.w_floats.f32()[n * kK + k];
            sum += term, magnitude += std::fabs(term);
          }
          EXPECT_NEAR(got[static_cast<size_t>(m * kN + n)], sum, 2e-6 * magnitude) << "row " << m << " column " << n;
        }
    }
  }
}

TEST(DotQ8, ARowDoesNotDependOnTheRowsBesideIt) {
  for (Dtype dtype : integer_dtypes()) {
    const Product p = product(dtype);
    for (const Level& level : runnable_levels()) {
      SCOPED_TRACE(std::string(dtype_info(dtype).name) + " " + level.name);
      for (int64_t M : {2, 3, 5, 8, 9, 31, 32}) {
        const std::vector<float> batch = run(level, p, 0, M);
        for (int64_t m = 0; m < M; ++m)
          EXPECT_EQ(std::memcmp(run(level, p, m, 1).data(), batch.data() + m * kN, kN * sizeof(float)), 0)
              << "row " << m << " of " << M;
      }
    }
  }
}

TEST(DotQ8, TheInstructionForBytesChangesNoBit) {
  for (Dtype dtype : integer_dtypes()) {
    const Product p = product(dtype);
    const std::vector<Level> levels = runnable_levels();
    for (size_t i = 1; i < levels.size(); ++i)
      if (levels[i].byte_products && levels[i].dot == levels[i - 1].dot) {
        EXPECT_EQ(run(levels[i], p, 0, kRows), run(levels[i - 1], p, 0, kRows))
            << dtype_info(dtype).name << " " << levels[i].name;
      }
  }
}

}  // namespace
}  // namespace dot_q8_test
}  // namespace hearth

#endif
