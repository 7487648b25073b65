// From logits to a token: penalties, truncation, one draw. Deterministic for a given seed.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "base/result.h"
#include "runtime/ops/sample_tokens/sample_tokens.h"

namespace hearth {

// Order of application: repetition penalty, temperature, top-k, top-p, min-p, draw.
struct SamplingParams {
  float temperature = 0;  // 0: greedy; 0..100
  int top_k = 0;          // 0: off
  float top_p = 1;        // keeps the smallest set of most likely tokens whose probability reaches top_p
  float min_p = 0;        // drops tokens less likely than min_p times the likeliest
  float repetition_penalty =
      1;  // logits of tokens seen in the last repetition_window: divided if positive, multiplied if not
  int repetition_window = 256;
  uint64_t seed = 0;  // two requests with one seed and one prompt get one answer
};
Result<void> validate(const SamplingParams& params);
// What there is to say where the largest logit is none.
Error not_a_number();

class Sampler {
 public:
  explicit Sampler(const SamplingParams& params) : params_(params), rng_(params.seed) {}
  // logits [V] are overwritten; history: all tokens so far. internal when no logit is finite.
  Result<int32_t> sample(std::span<float> logits, std::span<const int32_t> history);
  // In place of sample(), for who draws where the logits are: the same token. None where it does not depend on the
  // logits alone.
  std::optional<DrawChoice> choose();

 private:
  struct Candidate {
    float value;  // a logit, or a weight: what its probability is in proportion to
    int32_t id;
  };
  static bool likelier(const Candidate& a, const Candidate& b) {
    return a.value > b.value || (a.value == b.value && a.id < b.id);
  }
  int32_t draw(std::span<float> logits);
  int32_t draw_from_all(std::span<const float> weights, double total);
  int32_t draw_from_candidates();
  void choose_largest(std::span<const float> logits, size_t n);
  void choose_nucleus(std::span<const float> weights, double total);
  bool truncate(double total, bool are_all);
  double uniform() { return static_cast<double>(rng_() >> 11) * 0x1p-53; }

  SamplingParams params_;
  std::mt19937_64 rng_;
  std::vector<Candidate> candidates_;
};

}  // namespace hearth
