// How far what a device computes is from what the host computes: what decides whether it is used.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace hearth {

// Of the largest: what activations in bf16 may differ by (0.11 of a small hybrid of golden tests), and no wrong kernel.
inline constexpr double kDeviceTolerance = 0.2;

// A few tokens spread over the vocabulary, which both compute.
inline std::vector<int32_t> few_tokens(int vocab_size, int max_seq_len) {
  constexpr int kTokens = 4;
  std::vector<int32_t> out;
  for (int t = 0; t < std::min(kTokens, max_seq_len); ++t)
    out.push_back(static_cast<int32_t>(int64_t{vocab_size - 1} * t / kTokens));
  return out;
}

// The largest difference, relative to the largest of `want`; infinite where one is not finite or they are not as many.
inline double relative_difference(std::span<const float> got, std::span<const float> want) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  if (got.size() != want.size()) return kInfinite;
  double difference = 0, largest = 1e-30;
  for (size_t i = 0; i < want.size(); ++i) {
    if (!std::isfinite(got[i])) return kInfinite;
    difference = std::max(difference, std::fabs(static_cast<double>(got[i]) - want[i]));
    largest = std::max(largest, std::fabs(static_cast<double>(want[i])));
  }
  return difference / largest;
}

}  // namespace hearth
