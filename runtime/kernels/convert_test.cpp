// Widening gives the same bits on every instruction set, for every half, and for blocks with odd scales.
#include "runtime/kernels/convert.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "hwdetect/cpu_features.h"
#include "runtime/tensor/scalar.h"

namespace hearth {
namespace portable {
void widen(Dtype dtype, const void* source, int64_t offset, float* out, int64_t n);
}
#if defined(__x86_64__)
namespace avx2 {
void widen(Dtype dtype, const void* source, int64_t offset, float* out, int64_t n);
}
namespace avx512 {
void widen(Dtype dtype, const void* source, int64_t offset, float* out, int64_t n);
}
#endif

namespace {

std::vector<WidenFunction> runnable() {
  std::vector<WidenFunction> out = {portable::widen};
#if defined(__x86_64__)
  const CpuFeatures& f = cpu_features();
  if (f.avx2 && f.fma && f.f16c) out.push_back(avx2::widen);
  if (out.size() == 2 && f.avx512f && f.avx512bw && f.avx512vl) out.push_back(avx512::widen);
#endif
  return out;
}

bool same_bits(const void* a, const void* b, size_t n_bytes) {
  return std::memcmp(a, b, n_bytes) == 0;
}

void expect_bits(Dtype dtype, const void* source, const std::vector<float>& expected) {
  for (WidenFunction widen : runnable()) {
    std::vector<float> got(expected.size());
    widen(dtype, source, 0, got.data(), static_cast<int64_t>(got.size()));
    EXPECT_TRUE(same_bits(got.data(), expected.data(), got.size() * 4)) << dtype_info(dtype).name;
  }
}

// All 65536 halves but the NaNs, whose payload the hardware may change. The odd count leaves a tail.
TEST(Widen, EveryHalf) {
  std::vector<uint16_t> halves, bfloats;
  std::vector<float> half_values, bfloat_values;
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto h = static_cast<uint16_t>(bits);
    if (!std::isnan(f16_to_float(h))) halves.push_back(h), half_values.push_back(f16_to_float(h));
    if (!std::isnan(bf16_to_float(h))) bfloats.push_back(h), bfloat_values.push_back(bf16_to_float(h));
  }
  halves.pop_back(), half_values.pop_back();
  expect_bits(Dtype::f16, halves.data(), half_values);
  expect_bits(Dtype::bf16, bfloats.data(), bfloat_values);
}

template <class Block>
void check_blocks(Dtype dtype) {
  std::mt19937 random(3);
  std::vector<Block> blocks(200);
  std::vector<float> expected;
  for (Block& block : blocks) {
    block.scale =
        float_to_f16(std::ldexp(static_cast<float>(random() % 2048) - 1024.0f, -static_cast<int>(random() % 30)));
    for (auto& q : block.q) q = static_cast<std::remove_reference_t<decltype(q)>>(random());
    for (int i = 0; i < kQuantBlock; ++i) expected.push_back(block_value(block, i));
  }
  expect_bits(dtype, blocks.data(), expected);
}

TEST(Widen, Blocks) {
  check_blocks<BlockQ8_0>(Dtype::q8_0);
  check_blocks<BlockQ4_0>(Dtype::q4_0);
}

TEST(Widen, FromAnOffset) {
  std::vector<float> values(96);
  for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i));
  for (Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::q8_0, Dtype::q4_0}) {
    std::vector<std::byte> stored(static_cast<size_t>(dtype_bytes(dtype, 96)));
    from_float(dtype, values.data(), stored.data(), 96);
    std::vector<float> whole(96), part(32);
    to_float(dtype, stored.data(), whole.data(), 96);
    for (WidenFunction widen : runnable()) {
      widen(dtype, stored.data(), 64, part.data(), 32);
      EXPECT_TRUE(same_bits(part.data(), whole.data() + 64, 32 * 4)) << dtype_info(dtype).name;
    }
  }
}

}  // namespace
}  // namespace hearth
