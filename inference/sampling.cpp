// The sampler.
#include "inference/sampling.h"

#include <algorithm>
#include <cmath>

namespace hearth {
namespace {

Result<void> check(const char* name, double value, double low, double high) {
  if (value >= low && value <= high) return {};
  return error(Code::invalid_argument, "{} must be {} to {}, got {}", name, low, high, value);
}

void penalise_repetition(const SamplingParams& params, std::span<float> logits, std::span<const int32_t> history) {
  if (params.repetition_penalty == 1) return;
  const size_t n = std::min(history.size(), static_cast<size_t>(params.repetition_window));
  std::vector<int32_t> seen(history.end() - static_cast<std::ptrdiff_t>(n), history.end());
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  for (int32_t id : seen) {
    if (id < 0 || static_cast<size_t>(id) >= logits.size()) continue;
    float& logit = logits[static_cast<size_t>(id)];
    logit = logit > 0 ? logit / params.repetition_penalty : logit * params.repetition_penalty;
  }
}

}  // namespace

Result<void> validate(const SamplingParams& p) {
  TRY(check("temperature", p.temperature, 0, 100));
  TRY(check("top_k", p.top_k, 0, 1e9));
  TRY(check("top_p", p.top_p, 0, 1));
  TRY(check("min_p", p.min_p, 0, 1));
  TRY(check("repetition_penalty", p.repetition_penalty, 0.01, 100));
  return check("repetition_window", p.repetition_window, 0, 1e6);
}

Result<int32_t> Sampler::sample(std::span<float> logits, std::span<const int32_t> history) {
  penalise_repetition(params_, logits, history);
  const auto largest =
      std::max_element(logits.begin(), logits.end(), [](float a, float b) { return a < b || std::isnan(a); });
  if (largest == logits.end() || !std::isfinite(*largest))
    return error(Code::internal,
                 "the model's output is not a number; its weights may be damaged (`hearth verify` checks them)");
  if (params_.temperature == 0) return static_cast<int32_t>(largest - logits.begin());
  return draw(logits);
}

void Sampler::keep_most_likely(size_t n) {
  auto likelier = [](const Candidate& a, const Candidate& b) {
    return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
  };
  n = std::min(n, candidates_.size());
  std::partial_sort(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(n), candidates_.end(),
                    likelier);
  candidates_.resize(n);
}

int32_t Sampler::draw(std::span<const float> logits) {
  candidates_.clear();
  float largest = -INFINITY;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!std::isfinite(logits[i])) continue;
    candidates_.push_back({logits[i], static_cast<int32_t>(i)});
    largest = std::max(largest, logits[i]);
  }
  if (params_.top_k > 0) keep_most_likely(static_cast<size_t>(params_.top_k));
  double total = 0;
  for (Candidate& c : candidates_)
    total += c.logit = std::exp((c.logit - largest) / params_.temperature);  // weights from here on
  truncate(total);
  total = 0;
  for (const Candidate& c : candidates_) total += c.logit;
  double point = uniform() * total;
  for (const Candidate& c : candidates_)
    if ((point -= c.logit) < 0) return c.id;
  return candidates_.back().id;
}

// Sorting a whole vocabulary is rarely needed: sort the likeliest few, and more only while they do not reach top_p.
void Sampler::truncate(double total) {
  if (params_.top_p >= 1 && params_.min_p <= 0) return;
  const std::vector<Candidate> all = candidates_;
  for (size_t n = 128;; n *= 8) {
    keep_most_likely(n);
    double sum = 0;
    size_t kept = 0;
    while (kept < candidates_.size() && (kept == 0 || sum < params_.top_p * total)) sum += candidates_[kept++].logit;
    const float least = candidates_[0].logit * params_.min_p;
    const bool is_complete =
        kept < candidates_.size() || candidates_.size() == all.size() || candidates_[kept - 1].logit < least;
    if (!is_complete) {
      candidates_ = all;
      continue;
    }
    while (kept > 1 && candidates_[kept - 1].logit < least) --kept;
    candidates_.resize(kept);
    return;
  }
}

}  // namespace hearth
