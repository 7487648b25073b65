// memory_fit: verdicts and the shortened context.
#include "inference/fit.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

ModelConfig llama_1b() {
  ModelConfig c;
  c.n_layers = 16, c.d_model = 2048, c.n_heads = 32, c.n_kv_heads = 8, c.head_dim = 64, c.d_ff = 8192,
  c.vocab_size = 128256, c.max_seq_len = 131072;
  return c;
}
constexpr uint64_t kGiB = uint64_t{1} << 30;

TEST(MemoryFit, CacheBytesCountBothSidesOfEveryLayer) {
  // 2 sides, 16 layers, 8 heads of 64, f16: 32 KiB a position.
  EXPECT_EQ(*StepRunner::cache_bytes(llama_1b(), 1024, 1, Dtype::f16), uint64_t{1024} * 2 * 16 * 8 * 64 * 2);
}

TEST(MemoryFit, VerdictsFollowTheMemory) {
  EXPECT_EQ(memory_fit(llama_1b(), 2 * kGiB, {}, 64 * kGiB, 0)->verdict, MemoryFit::Verdict::fits);
  EXPECT_EQ(memory_fit(llama_1b(), 2 * kGiB, {}, 1 * kGiB, 0)->verdict, MemoryFit::Verdict::too_large);
  const MemoryFit tight = *memory_fit(llama_1b(), 9 * kGiB, {}, 10 * kGiB, 20e9);
  EXPECT_EQ(tight.verdict, MemoryFit::Verdict::tight);
  EXPECT_LT(tight.max_seq_len, 131072);
  EXPECT_NEAR(*tight.decode_tokens_per_s, 20e9 / (9.0 * kGiB), 0.01);
  EXPECT_NE(tight.explanation.find("shortened"), std::string::npos);
}

// A context of the model's own is shortened, but not below the shortest, and then it is said that nothing fits; one
// that was asked for is not shortened, and the one that would fit is told.
TEST(MemoryFit, WhatDoesNotFitIsNotShortenedInSilence) {
  const MemoryFit floor = *memory_fit(llama_1b(), 2 * kGiB, {}, 2 * kGiB, 0);
  EXPECT_EQ(floor.max_seq_len, kShortestContext);
  EXPECT_EQ(floor.verdict, MemoryFit::Verdict::too_large);
  EXPECT_NE(floor.explanation.find("choose a smaller model"), std::string::npos) << floor.explanation;
  const MemoryFit asked = *memory_fit(llama_1b(), 2 * kGiB, {.max_seq_len = 131072}, 8 * kGiB, 0);
  EXPECT_EQ(asked.max_seq_len, 131072);
  EXPECT_EQ(asked.verdict, MemoryFit::Verdict::too_large);
  EXPECT_NE(asked.explanation.find("with a context of 16384 tokens it would"), std::string::npos) << asked.explanation;
  EXPECT_EQ(memory_fit(llama_1b(), 2 * kGiB, {.max_seq_len = 16384}, 8 * kGiB, 0)->max_seq_len, 16384);
  const MemoryFit odd = *memory_fit(llama_1b(), 2 * kGiB, {.max_seq_len = 1000}, 1 * kGiB, 0);
  EXPECT_EQ(odd.max_seq_len, 1000);
}

TEST(MemoryFit, EncodersHaveNoCache) {
  ModelConfig c = llama_1b();
  c.family = "bert";
  auto fit = memory_fit(c, kGiB, {}, 64 * kGiB, 0);
  ASSERT_TRUE(fit) << fit.error().to_string();
  EXPECT_EQ(fit->kv_bytes, 0u);
  EXPECT_EQ(fit->max_seq_len, 131072);
}

TEST(MemoryFit, NoBandwidthNoSpeed) {
  EXPECT_FALSE(memory_fit(llama_1b(), kGiB, {}, 64 * kGiB, 0)->decode_tokens_per_s);
}

}  // namespace
}  // namespace hearth
