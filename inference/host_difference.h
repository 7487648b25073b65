// How far what a device computes is from what the host computes: what decides whether it is used.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace hearth {

// Of token_difference(): activations in bf16 make 0.003 to 0.02 of golden checkpoints, a wrong kernel about 1.
inline constexpr double kDeviceTolerance = 0.05;

// A few tokens spread over the vocabulary, which both compute.
inline std::vector<int32_t> few_tokens(int vocab_size, int max_seq_len) {
  constexpr int kTokens = 8;
  std::vector<int32_t> out;
  for (int t = 0; t < std::min(kTokens, max_seq_len); ++t)
    out.push_back(static_cast<int32_t>(int64_t{vocab_size - 1} * t / kTokens));
  return out;
}

// The length of the difference, relative to that of `want`; infinite where one is not finite or they are not as many.
inline double relative_difference(std::span<const float> got, std::span<const float> want) {
  if (got.size() != want.size()) return std::numeric_limits<double>::infinity();
  double difference = 0, squares = 1e-60;
  for (size_t i = 0; i < want.size(); ++i) {
    const double off = static_cast<double>(got[i]) - want[i];
    difference += off * off, squares += static_cast<double>(want[i]) * want[i];
  }
  const double out = std::sqrt(difference / squares);
  return std::isfinite(out) ? out : std::numeric_limits<double>::infinity();
}

// That of the tokens, of which each has n numbers: of the one in the middle; infinite where a number is not finite.
// Where experts are nearly tied, rounding chooses for a token here and there, whose logits are others then, and that
// says nothing about the device.
inline double token_difference(std::span<const float> got, std::span<const float> want, size_t n) {
  if (got.size() != want.size() || want.size() < n) return std::numeric_limits<double>::infinity();
  std::vector<double> tokens;
  for (size_t at = 0; at + n <= want.size(); at += n)
    tokens.push_back(relative_difference(got.subspan(at, n), want.subspan(at, n)));
  std::sort(tokens.begin(), tokens.end());
  if (!std::isfinite(tokens.back())) return tokens.back();
  return tokens[tokens.size() / 2];
}

}  // namespace hearth
