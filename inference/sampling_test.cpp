// Sampler: each truncation against its definition, determinism, broken logits.
#include "inference/sampling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace hearth {
namespace {

std::map<int32_t, int> draws(SamplingParams params, const std::vector<float>& logits, int n = 4000) {
  Sampler sampler(params);
  std::map<int32_t, int> counts;
  for (int i = 0; i < n; ++i) {
    std::vector<float> copy = logits;
    ++counts[*sampler.sample(copy, {})];
  }
  return counts;
}

TEST(Sampler, GreedyTakesTheLargest) {
  std::vector<float> logits{0.1f, 3.0f, -1.0f};
  EXPECT_EQ(*Sampler({}).sample(logits, {}), 1);
}

TEST(Sampler, FrequenciesFollowTheSoftmax) {
  const auto counts = draws({.temperature = 0.5f, .seed = 7}, {0.0f, 0.5f, 1.0f}, 20000);
  const double total = std::exp(0.0) + std::exp(1.0) + std::exp(2.0);
  EXPECT_NEAR(counts.at(2) / 20000.0, std::exp(2.0) / total, 0.02);
  EXPECT_NEAR(counts.at(0) / 20000.0, std::exp(0.0) / total, 0.02);
}

TEST(Sampler, TruncationsKeepTheLikeliest) {
  const std::vector<float> logits{std::log(0.5f), std::log(0.3f), std::log(0.15f), std::log(0.05f)};
  EXPECT_EQ(draws({.temperature = 1, .top_k = 2}, logits).size(), 2u);
  EXPECT_EQ(draws({.temperature = 1, .top_p = 0.7f}, logits).size(), 2u);
  EXPECT_EQ(draws({.temperature = 1, .top_p = 0.81f}, logits).size(), 3u);
  EXPECT_EQ(draws({.temperature = 1, .top_p = 0.0f}, logits).size(), 1u);
  EXPECT_EQ(draws({.temperature = 1, .min_p = 0.2f}, logits).size(), 3u);
}

TEST(Sampler, TopPOverAFlatVocabularyNeedsMoreThanTheFirstFew) {
  const std::vector<float> logits(5000, 1.0f);
  Sampler sampler({.temperature = 1, .top_p = 0.5f, .seed = 3});
  int32_t largest = 0;
  for (int i = 0; i < 2000; ++i) {
    std::vector<float> copy = logits;
    largest = std::max(largest, *sampler.sample(copy, {}));
  }
  EXPECT_GT(largest, 2300);
  EXPECT_LE(largest, 2500);
}

TEST(Sampler, OneSeedOneAnswer) {
  const std::vector<float> logits{0.3f, 0.2f, 0.1f, 0.25f};
  EXPECT_EQ(draws({.temperature = 1, .seed = 11}, logits, 50), draws({.temperature = 1, .seed = 11}, logits, 50));
}

TEST(Sampler, RepetitionPenaltyTurnsAway) {
  std::vector<float> logits{2.0f, 1.9f, -1.0f};
  const std::vector<int32_t> history{0, 0};
  EXPECT_EQ(*Sampler({.repetition_penalty = 1.5f}).sample(logits, history), 1);
}

TEST(Sampler, BrokenLogitsAreAnError) {
  std::vector<float> nan(4, NAN);
  EXPECT_FALSE(Sampler({}).sample(nan, {}));
  std::vector<float> some{NAN, 1.0f, NAN};
  EXPECT_EQ(*Sampler({}).sample(some, {}), 1);
}

TEST(Sampler, ParametersHaveBounds) {
  EXPECT_FALSE(validate({.temperature = -1}));
  EXPECT_FALSE(validate({.top_p = 1.5f}));
  EXPECT_FALSE(validate({.temperature = NAN}));
  EXPECT_TRUE(validate(SamplingParams{}));
}

}  // namespace
}  // namespace hearth
