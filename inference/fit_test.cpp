// memory_fit: verdicts and the shortened context.
#include "inference/fit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

namespace hearth::fit_test {
namespace {

ModelConfig llama_1b() {
  ModelConfig c;
  c.n_layers = 16, c.d_model = 2048, c.n_heads = 32, c.n_kv_heads = 8, c.head_dim = 64, c.d_ff = 8192,
  c.vocab_size = 128256, c.max_seq_len = 131072, c.tied_embeddings = true;
  return c;
}
constexpr uint64_t kGiB = uint64_t{1} << 30;

TEST(MemoryFit, CacheBytesCountBothSidesOfEveryLayer) {
  // 2 sides, 16 layers, 8 heads of 64, f16: 32 KiB a position. A page more than the slots fill, to copy to.
  constexpr uint64_t kPerPosition = 2 * 16 * 8 * 64 * 2;
  EXPECT_EQ(*StepRunner::cache_bytes(llama_1b(), {.max_seq_len = 1024, .n_slots = 1}), (1024 + 64) * kPerPosition);
  EXPECT_EQ(*StepRunner::cache_bytes(llama_1b(), {.max_seq_len = 1000, .n_slots = 3}), (3 * 1024 + 64) * kPerPosition);
  EXPECT_EQ(*StepRunner::cache_bytes(llama_1b(), {.max_seq_len = 1024, .n_slots = 4, .n_pages = 30}),
            30 * 64 * kPerPosition);
}

// The states that are kept for next turns are counted, and told.
TEST(MemoryFit, KeptStatesOfRecurrencesAreCounted) {
  const auto model = load_model(std::filesystem::path(HEARTH_SOURCE_DIR) / "tests/golden/qwen3_5_bf16");
  ASSERT_TRUE(model) << model.error().to_string();
  const StateBytes bytes = *serving_state_bytes(model->config, 64, Dtype::f16);
  ASSERT_GT(bytes.per_sequence, 0u);
  const auto fit = [&](const StepOptions& options) { return *memory_fit(model->config, kGiB, options, 8 * kGiB, 0); };
  const StepOptions options{.max_seq_len = 256, .n_slots = 3, .n_kept = 2};
  EXPECT_EQ(fit(options).kv_bytes, (3 * 4 + 1) * bytes.per_page + (3 + 3 * 2) * bytes.per_sequence);
  EXPECT_NE(fit(options).explanation.find("keep the state of recurrent layers"), std::string::npos);
  StepOptions without = options;
  without.n_kept = 0;
  EXPECT_EQ(fit(options).kv_bytes - fit(without).kv_bytes, 6 * bytes.per_sequence);
  EXPECT_EQ(fit(without).explanation.find("recurrent"), std::string::npos);
  EXPECT_EQ(memory_fit(llama_1b(), kGiB, options, 8 * kGiB, 0)->explanation.find("recurrent"), std::string::npos);
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
  EXPECT_FALSE(memory_fit(c, kGiB, {}, 64 * kGiB, 20e9)->decode_tokens_per_s) << "encoders write no tokens";
  EXPECT_EQ(fit->max_seq_len, 131072);
}

// 48 layers of 128 experts, 8 chosen: 30.5 billion weights, 3.3 billion of them for a token (and no row of the
// embedding but one).
ModelConfig qwen3_30b() {
  ModelConfig c;
  c.family = "qwen3_moe";
  c.n_layers = 48, c.d_model = 2048, c.n_heads = 32, c.n_kv_heads = 4, c.head_dim = 128, c.d_ff = 6144,
  c.vocab_size = 151936, c.max_seq_len = 40960;
  c.moe.n_experts = 128, c.moe.d_ff = 768, c.moe.routing.n_chosen = 8;
  return c;
}

TEST(MemoryFit, OfExpertsOnlyTheChosenAreReadForAToken) {
  const ModelConfig c = qwen3_30b();
  constexpr double kBytes = 61e9, kBandwidth = 100e9;  // bf16
  const double experts = 48.0 * 128 * 3 * 768 * 2048, embed = 151936.0 * 2048,
               rest =
                   48 * (2.0 * 32 * 128 * 2048 + 2.0 * 4 * 128 * 2048 + 128 * 2048 + 2 * 2048 + 2 * 128) + 2048 + embed;
  auto rate = [&](double share_of_experts, double embed_rows, int n) {
    return n * kBandwidth / kBytes * (experts + embed + rest) / (experts * share_of_experts + embed_rows * 2048 + rest);
  };
  auto fit = memory_fit(c, static_cast<uint64_t>(kBytes), {}, 256 * kGiB, kBandwidth);
  ASSERT_TRUE(fit) << fit.error().to_string();
  EXPECT_NEAR(*fit->decode_tokens_per_s, rate(8.0 / 128, 1, 1), 1e-3);
  EXPECT_GT(*fit->decode_tokens_per_s, 9 * kBandwidth / kBytes);
  const std::string together = fmt::format("for 4 conversations at once, memory allows {:.1f} tokens/s together",
                                           rate(1 - std::pow(120.0 / 128, 4), 4, 4));
  EXPECT_NE(fit->explanation.find(together), std::string::npos) << fit->explanation;
  const auto bytes = static_cast<uint64_t>(kBytes);
  EXPECT_NEAR(*decode_tokens_per_s(c, bytes, kBandwidth, 2), rate(1 - (120.0 / 128) * (120.0 / 128), 2, 2), 1e-3);
  EXPECT_NEAR(*decode_tokens_per_s(c, bytes, kBandwidth, 64), rate(1 - std::pow(120.0 / 128, 64), 64, 64), 1e-2);
  ModelConfig dense_first = c;  // layers without experts count whole
  dense_first.moe.dense_layers.assign(48, true);
  EXPECT_LT(*decode_tokens_per_s(dense_first, bytes, kBandwidth, 1), 1.2 * kBandwidth / kBytes);
}

// Tables that are only looked up cost a row, not a read of all: the embedding beside its own output matrix, and the
// narrow embeddings for each layer.
TEST(MemoryFit, LookedUpTablesAreNotReadForAToken) {
  ModelConfig c = llama_1b();
  const double tied = *decode_tokens_per_s(c, kGiB, 1e9, 1);
  EXPECT_NEAR(tied, 1e9 / kGiB, 1e-3);
  c.tied_embeddings = false;
  EXPECT_GT(*decode_tokens_per_s(c, kGiB, 1e9, 1), 1.15 * tied);
  c.tied_embeddings = true;
  c.family = "gemma4";
  c.per_layer_input = {.width = 256, .vocab_size = 262144};
  EXPECT_GT(*decode_tokens_per_s(c, kGiB, 1e9, 1), 1.7 * tied);
}

TEST(MemoryFit, NoBandwidthNoSpeed) {
  EXPECT_FALSE(memory_fit(llama_1b(), kGiB, {}, 64 * kGiB, 0)->decode_tokens_per_s);
}

}  // namespace
}  // namespace hearth::fit_test
