// Attention by tensor cores, on the emulator: one tile of rows against plain loops, for every size of tile.
#include <gtest/gtest.h>

#include <cmath>

#include "runtime/kernels/flash_tile.cuh"

namespace hearth::emulated::flash_tile_test {
namespace {

struct Case {
  int n_rows, D, Dv;
  int64_t begin, end;
  float softcap = 0;
  bool has_sink = false;
  int64_t row_begin(int r) const { return begin + r % 3; }  // row r sees keys [row_begin, row_end)
  int64_t row_end(int r) const { return end - (n_rows - 1 - r) % 5; }
  float sink(int r) const { return has_sink ? 0.3f * static_cast<float>(r % 4) : -INFINITY; }
  ScoreRule rule() const { return {1 / std::sqrt(static_cast<float>(D)), softcap}; }
};

float number(uint64_t i) {
  return static_cast<float>((i * 0x9e3779b97f4a7c15u >> 40) % 2001) * 1e-3f - 1;
}

std::vector<Bf16> bf16_numbers(int64_t n, uint64_t seed) {
  std::vector<Bf16> out(static_cast<size_t>(n));
  for (size_t i = 0; i < out.size(); ++i) out[i] = number(i + seed * 7919);
  return out;
}

// Each row of operands in memory of its own size: what is read beyond a row is seen.
struct Operands {
  explicit Operands(const Case& c)
      : q(bf16_numbers(int64_t{c.n_rows} * c.D, 1)),
        k(bf16_numbers(c.end * c.D, 2)),
        v(bf16_numbers(c.end * c.Dv, 3)) {}
  std::vector<Bf16> q, k, v;
};

template <int max_dim>
__global__ void tile_kernel(Case c, const Bf16* q, const Bf16* k, const Bf16* v, float* out, float* lse) {
  HEARTH_DYNAMIC_SHARED(shared, SharedBytes16);
  flash_attend<max_dim>(
      shared, {c.n_rows, c.D, c.Dv, c.rule(), c.begin, c.end, c.D % 8 == 0 && c.Dv % 8 == 0},
      [&](int r) { return q + r * c.D; }, [&](int64_t s) { return k + s * c.D; },
      [&](int64_t s) { return v + s * c.Dv; },
      [&](int r, int64_t s) { return s >= c.row_begin(r) && s < c.row_end(r); }, [&](int r) { return c.sink(r); },
      [&](int r, int d, float x) { out[r * c.Dv + d] = x; }, [&](int r, float x) { lse[r] = x; });
}

struct Expected {
  std::vector<double> out;
  double lse = 0;
};

Expected expected_row(const Case& c, const Operands& in, int r) {
  Expected e{std::vector<double>(static_cast<size_t>(c.Dv)), 0};
  double total = c.has_sink ? std::exp(static_cast<double>(c.sink(r))) : 0;
  for (int64_t s = c.row_begin(r); s < c.row_end(r); ++s) {
    double dot = 0;
    for (int d = 0; d < c.D; ++d)
      dot += (static_cast<double>(in.q[static_cast<size_t>(int64_t{r} * c.D + d)])) *
             static_cast<double>(in.k[static_cast<size_t>(s * c.D + d)]);
    double score = dot * c.rule().scale;
    if (c.softcap > 0) score = c.softcap * std::tanh(score / c.softcap);
    total += std::exp(score);
    for (int d = 0; d < c.Dv; ++d)
      e.out[static_cast<size_t>(d)] += std::exp(score) * static_cast<double>(in.v[static_cast<size_t>(s * c.Dv + d)]);
  }
  for (double& x : e.out) x = total > 0 ? x / total : 0;
  e.lse = std::log(total);
  return e;
}

template <int max_dim>
void expect_attended(const Case& c) {
  SCOPED_TRACE(fmt::format("{} rows, D {}, Dv {}, keys {} to {}", c.n_rows, c.D, c.Dv, c.begin, c.end));
  const Operands in(c);
  ASSERT_LE(flash_shared_bytes<max_dim>(c.D, c.Dv), kSharedBytes);
  for (uint64_t seed = 0; seed < 3; ++seed) {
    Device device({seed});
    std::vector<float> out(static_cast<size_t>(c.n_rows * c.Dv), NAN), lse(static_cast<size_t>(c.n_rows), NAN);
    launch_kernel<tile_kernel<max_dim>>(1, kFlashThreads, flash_shared_bytes<max_dim>(c.D, c.Dv), &device, c,
                                        in.q.data(), in.k.data(), in.v.data(), out.data(), lse.data());
    const Result<void> done = device.take_result();
    ASSERT_TRUE(done) << done.error().message;
    for (int r = 0; r < c.n_rows; ++r) {
      const Expected e = expected_row(c, in, r);
      if (std::isinf(e.lse))
        EXPECT_EQ(lse[static_cast<size_t>(r)], -INFINITY);
      else
        EXPECT_NEAR(lse[static_cast<size_t>(r)], e.lse, 1e-5);
      for (int d = 0; d < c.Dv; ++d)  // weights are rounded to bf16: eight bits of a mean of numbers up to 1
        ASSERT_NEAR(out[static_cast<size_t>(r * c.Dv + d)], e.out[static_cast<size_t>(d)], 2e-3) << r << "," << d;
    }
  }
}

TEST(FlashTile, EqualsPlainLoops) {
  expect_attended<128>({64, 128, 128, 0, 130});
  expect_attended<128>({37, 64, 64, 5, 70});
  expect_attended<128>({16, 40, 24, 64, 128});
  expect_attended<256>({32, 256, 256, 3, 65});
  expect_attended<256>({9, 192, 128, 0, 64});
  expect_attended<kMaxHeadDim>({16, 576, 512, 0, 70});
  expect_attended<kMaxHeadDim>({13, 512, 512, 30, 50});
  expect_attended<kMaxHeadDim>({16, 576, 576, 33, 64});
}

TEST(FlashTile, WidthsThatNoWideLoadReads) {
  expect_attended<128>({20, 17, 29, 2, 80});
  expect_attended<256>({20, 130, 5, 0, 67});
  expect_attended<kMaxHeadDim>({3, 331, 258, 0, 33});
}

TEST(FlashTile, CapsSinksAndRowsThatSeeNothing) {
  expect_attended<128>({33, 32, 32, 0, 90, 1.5f});
  expect_attended<128>({33, 32, 32, 10, 90, 0, true});
  expect_attended<256>({33 - 16, 160, 32, 10, 12, 2, true});  // rows of begin + 2 see no key
  expect_attended<128>({6, 32, 32, 10, 12});
}

}  // namespace
}  // namespace hearth::emulated::flash_tile_test
