// Widening gives the same bits on every instruction set, for every half, and for blocks of every dtype.
#include "runtime/kernels/convert.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "hwdetect/cpu_features.h"
#include "runtime/ops/rules.h"
#include "runtime/tensor/codecs/all.h"

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

namespace convert_test {
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

// Random blocks of a dtype against its codec, element by element; as a whole and from a group inside a block.
template <Dtype dtype>
void check_blocks() {
  using C = Codec<dtype>;
  const Tensor weights = random_weights(dtype, {5, 768}, 3);
  const auto* blocks = static_cast<const typename C::Block*>(weights.view().data);
  std::vector<float> expected;
  for (int i = 0; i < 5 * 768; ++i) expected.push_back(block_value<dtype>(blocks[i / C::kElements], i % C::kElements));
  expect_bits(dtype, blocks, expected);
  for (WidenFunction widen : runnable()) {
    std::vector<float> part(64);
    widen(dtype, blocks, 32 * 11, part.data(), 64);
    EXPECT_TRUE(same_bits(part.data(), expected.data() + 32 * 11, 64 * 4)) << dtype_info(dtype).name;
  }
}

TEST(Widen, Blocks) {
#define HEARTH_CHECK(T) check_blocks<Dtype::T>();
  HEARTH_QUANTISED(HEARTH_CHECK)
#undef HEARTH_CHECK
}

TEST(Widen, EveryE4m3Number) {
  BlockF8x128 blocks[2];
  std::vector<float> expected;
  for (int i = 0; i < 256; ++i) {
    blocks[i / 128].scale = 1;
    const bool is_nan = i % 128 == 127;
    blocks[i / 128].q[i % 128] = static_cast<uint8_t>(is_nan ? 0 : i);
    expected.push_back(block_value<Dtype::f8x128>(blocks[i / 128], i % 128));
  }
  expect_bits(Dtype::f8x128, blocks, expected);
  EXPECT_TRUE(std::isnan(e4m3_to_float(0x7f)) && std::isnan(e4m3_to_float(0xff)));
}

}  // namespace
}  // namespace convert_test
}  // namespace hearth
