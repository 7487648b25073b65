// Sampler: each truncation against its definition, determinism, broken logits.
#include "inference/sampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace hearth::sampling_test {
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

// The definition of a draw: everything is sorted, then cut, then drawn from.
int32_t drawn_by_definition(const SamplingParams& params, const std::vector<float>& logits, std::mt19937_64& rng) {
  std::vector<std::pair<float, int32_t>> all;
  float largest = -INFINITY;
  for (size_t i = 0; i < logits.size(); ++i)
    if (std::isfinite(logits[i])) all.emplace_back(logits[i], i), largest = std::max(largest, logits[i]);
  const auto sort = [&] {
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  };
  if (params.top_k > 0) {
    sort();
    all.resize(std::min(all.size(), static_cast<size_t>(params.top_k)));
  }
  double total = 0;
  for (auto& [value, id] : all) total += value = std::exp((value - largest) / params.temperature);
  if (params.top_p < 1 || params.min_p > 0) {
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    sort();
    double sum = 0;
    size_t kept = 0;
    while (kept < all.size() && (kept == 0 || sum < params.top_p * total)) sum += all[kept++].first;
    while (kept > 1 && all[kept - 1].first < all[0].first * params.min_p) --kept;
    all.resize(kept);
  }
  total = 0;
  for (const auto& [value, id] : all) total += value;
  double point = static_cast<double>(rng() >> 11) * 0x1p-53 * total;
  for (const auto& [value, id] : all)
    if ((point -= value) < 0) return id;
  return all.back().second;
}

// Logits of many shapes: sharp and flat, with ties, with what is masked or broken.
std::vector<float> made_up_logits(std::mt19937_64& rng) {
  const size_t sizes[] = {1, 2, 100, 128, 129, 1500, 9000};
  std::vector<float> out(sizes[rng() % std::size(sizes)]);
  const float spread = std::pow(10.0f, static_cast<float>(rng() % 5) - 2), step = rng() % 2 ? 0.25f : 0;
  for (float& x : out) {
    x = spread * static_cast<float>(static_cast<double>(rng() % 20001) / 10000 - 1);
    if (step > 0) x = std::round(x / step) * step;
    if (rng() % 11 == 0) x = rng() % 2 ? -INFINITY : NAN;
  }
  out[rng() % out.size()] = spread;
  return out;
}

TEST(Sampler, DrawsWhatAFullSortWouldDraw) {
  std::mt19937_64 rng(17);
  for (int round = 0; round < 400; ++round) {
    SamplingParams params{.temperature = std::pow(10.0f, static_cast<float>(rng() % 4) - 2), .seed = rng()};
    const float top_ps[] = {0, 0.1f, 0.5f, 0.9f, 0.999f, 0.9999999f, 1}, min_ps[] = {0, 0, 1e-6f, 0.05f, 0.5f, 1};
    const int top_ks[] = {0, 0, 0, 1, 40, 128, 1000000};
    params.top_p = top_ps[rng() % std::size(top_ps)], params.min_p = min_ps[rng() % std::size(min_ps)];
    params.top_k = top_ks[rng() % std::size(top_ks)];
    const std::vector<float> logits = made_up_logits(rng);
    Sampler sampler(params);
    std::mt19937_64 same(params.seed);
    for (int i = 0; i < 5; ++i) {
      std::vector<float> copy = logits;
      ASSERT_EQ(*sampler.sample(copy, {}), drawn_by_definition(params, logits, same))
          << "round " << round << ", " << logits.size() << " logits, temperature " << params.temperature << ", top_k "
          << params.top_k << ", top_p " << params.top_p << ", min_p " << params.min_p;
    }
  }
}

// What a device draws with the op of that name.
int32_t drawn_by_the_op(const DrawChoice& choice, const std::vector<float>& logits) {
  const auto V = static_cast<int64_t>(logits.size());
  Tensor row(TensorType{Dtype::f32, {1, V}}), choices(TensorType{Dtype::f32, {1, kDrawNumbers}}),
      id(TensorType{Dtype::i32, {1}});
  std::ranges::copy(logits, row.f32());
  *choices.view().as<DrawChoice>() = choice;
  const TensorView inputs[] = {row.view(), choices.view()}, outputs[] = {id.view()};
  SampleTokens().reference(inputs, outputs);
  return id.i32()[0];
}

TEST(Sampler, TheOpDrawsTheSame) {
  std::mt19937_64 rng(8);
  for (int round = 0; round < 300; ++round) {
    SamplingParams params{.temperature = round % 4 == 0 ? 0.0f : 0.5f + static_cast<float>(rng() % 4) * 0.5f};
    params.seed = rng();
    params.top_k = round % 3 == 0 ? static_cast<int>(rng() % 40) : 0;
    params.top_p = round % 2 == 0 ? static_cast<float>(rng() % 100) / 100.0f : 1;
    params.min_p = round % 5 == 0 ? 0.05f : 0;
    Sampler by_hand(params), where_they_are(params);
    for (int token = 0; token < 3; ++token) {
      std::vector<float> logits = made_up_logits(rng), copy = logits;
      const int32_t expected = *by_hand.sample(copy, {});
      ASSERT_EQ(drawn_by_the_op(*where_they_are.choose(), logits), expected) << "round " << round << " token " << token;
    }
  }
}

TEST(Sampler, WhatDependsOnMoreThanTheLogitsIsNotChosenAhead) {
  EXPECT_TRUE(Sampler({.temperature = 1}).choose());
  EXPECT_FALSE(Sampler({.temperature = 1, .repetition_penalty = 1.1f}).choose());
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
}  // namespace hearth::sampling_test
