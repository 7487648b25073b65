// Integer products with weights in panels, on every instruction set of this machine: values, independence of the rows
// beside a row and of the team, and that the byte-product instruction gives the bits of the code without it.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "hwdetect/cpu_features.h"
#include "runtime/backend/worker.h"
#include "runtime/ops/rules.h"
#include "runtime/tensor/panels.h"

#if defined(__x86_64__)

namespace hearth {

using DotPanels = void (*)(int64_t M, int64_t N, int64_t K, const void* x, Dtype w_dtype, const void* w, float* y,
                           bool byte_products, const Worker& me);
#define HEARTH_DECLARE(ISA)                                                                               \
  namespace ISA {                                                                                         \
  Layout panels_for(Dtype w_dtype);                                                                       \
  void dot_panels(int64_t M, int64_t N, int64_t K, const void* x, Dtype w_dtype, const void* w, float* y, \
                  bool byte_products, const Worker& me);                                                  \
  }
HEARTH_DECLARE(avx2)
HEARTH_DECLARE(avx512)
#undef HEARTH_DECLARE

namespace dot_panels_test {
namespace {

struct Level {
  const char* name;
  DotPanels dot;
  Layout (*panels_for)(Dtype);
  bool byte_products;
};

std::vector<Level> runnable_levels() {
  std::vector<Level> out;
  const CpuFeatures& f = cpu_features();
  if (!f.avx2 || !f.fma || !f.f16c) return out;
  out.push_back({"avx2", avx2::dot_panels, avx2::panels_for, false});
  if (f.avx_vnni) out.push_back({"avx2 with VNNI", avx2::dot_panels, avx2::panels_for, true});
  if (!f.avx512f || !f.avx512bw || !f.avx512vl) return out;
  out.push_back({"avx512", avx512::dot_panels, avx512::panels_for, false});
  if (f.avx512vnni) out.push_back({"avx512 with VNNI", avx512::dot_panels, avx512::panels_for, true});
  return out;
}

// Rows of several blocks; numbers of rows that leave each kind of remainder, and more than are laid out at once.
constexpr int64_t kRows = 401, kN = 21, kK = 768;

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

Tensor in_panels(const Tensor& rows, Layout layout) {
  Tensor out({rows.type().dtype, rows.type().shape, layout});
  pack_panels(rows.view(), out.view(), 0, n_panels(out.type()));
  return out;
}

std::vector<float> run(const Level& level, const Product& p, const Tensor& panels, int64_t first_row, int64_t M,
                       int team = 1) {
  std::vector<float> y(static_cast<size_t>(M * kN), NAN);
  const char* x = p.x.view().as<const char>() + dtype_bytes(Dtype::q8_0, first_row * kK);
  for (int rank = 0; rank < team; ++rank)  // they never meet
    level.dot(M, kN, kK, x, panels.type().dtype, panels.view().data, y.data(), level.byte_products, Worker{rank, team});
  return y;
}

// Calls body(level, product, weights in panels) for each pair of them.
template <class Body>
void for_each_pair(Body body) {
  for (Dtype dtype : weight_dtypes()) {
    if (!has_panels(dtype)) continue;
    const Product p = product(dtype);
    for (const Level& level : runnable_levels()) {
      if (level.panels_for(dtype) == Layout::row_major) continue;
      SCOPED_TRACE(std::string(dtype_info(dtype).name) + " " + level.name);
      body(level, p, in_panels(p.w, level.panels_for(dtype)));
    }
  }
}

TEST(DotPanels, EveryDtypeEqualsTheProductOfWhatBothStandFor) {
  int n_pairs = 0;
  for_each_pair([&](const Level& level, const Product& p, const Tensor& panels) {
    const std::vector<float> got = run(level, p, panels, 0, kRows);
    ++n_pairs;
    for (int64_t m = 0; m < kRows; ++m)
      for (int64_t n = 0; n < kN; ++n) {
        double sum = 0, magnitude = 0;
        for (int64_t k = 0; k < kK; ++k) {
          const double term = static_cast<double>(p.x_floats.f32()[m * kK + k]) * p.w_floats.f32()[n * kK + k];
          sum += term, magnitude += std::fabs(term);
        }
        ASSERT_NEAR(got[static_cast<size_t>(m * kN + n)], sum, 2e-6 * magnitude) << "row " << m << " column " << n;
      }
  });
  EXPECT_TRUE(n_pairs >= 4 || runnable_levels().empty());
}

TEST(DotPanels, ARowDoesNotDependOnTheRowsBesideIt) {
  for_each_pair([](const Level& level, const Product& p, const Tensor& panels) {
    const std::vector<float> all = run(level, p, panels, 0, kRows);
    for (int64_t M : {1, 2, 3, 5, 8, 9, 12, 13, 31, 32, 33})
      EXPECT_EQ(std::memcmp(run(level, p, panels, 0, M).data(), all.data(), static_cast<size_t>(M * kN) * 4), 0)
          << M << " rows";
    for (int64_t m = 0; m < kRows; m += 7)
      EXPECT_EQ(std::memcmp(run(level, p, panels, m, 1).data(), all.data() + m * kN, kN * sizeof(float)), 0)
          << "row " << m;
  });
}

TEST(DotPanels, TheTeamChangesNoBit) {
  for_each_pair([](const Level& level, const Product& p, const Tensor& panels) {
    for (int64_t M : {int64_t{1}, kRows})
      for (int team : {2, 3, 7}) EXPECT_EQ(run(level, p, panels, 0, M, team), run(level, p, panels, 0, M)) << team;
  });
}

TEST(DotPanels, TheInstructionForBytesChangesNoBit) {
  for_each_pair([](const Level& level, const Product& p, const Tensor& panels) {
    Level without = level;
    without.byte_products = false;
    EXPECT_EQ(run(level, p, panels, 0, kRows), run(without, p, panels, 0, kRows));
  });
}

}  // namespace
}  // namespace dot_panels_test
}  // namespace hearth

#endif
