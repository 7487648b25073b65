// The sampler.
#include "inference/sampling.h"

#include <algorithm>
#include <array>
#include <bit>
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

Error not_a_number() {
  return error(Code::internal,
               "the model's output is not a number; its weights may be damaged (`hearth verify` checks them)");
}

std::optional<DrawChoice> Sampler::choose() {
  if (params_.repetition_penalty != 1) return std::nullopt;
  DrawChoice out{params_.temperature, static_cast<float>(params_.top_k), params_.top_p, params_.min_p};
  if (params_.temperature == 0) return out;
  const double point = uniform();
  out.uniform = static_cast<float>(point);
  out.uniform_rest = static_cast<float>(point - out.uniform);
  return out;
}

Result<int32_t> Sampler::sample(std::span<float> logits, std::span<const int32_t> history) {
  penalise_repetition(params_, logits, history);
  const auto largest =
      std::max_element(logits.begin(), logits.end(), [](float a, float b) { return a < b || std::isnan(a); });
  if (largest == logits.end() || !std::isfinite(*largest)) return not_a_number();
  if (params_.temperature == 0) return static_cast<int32_t>(largest - logits.begin());
  return draw(logits);
}

// candidates_ = the n largest of the finite logits, in order. A heap of n with the smallest on top: what is larger than
// all of it is copied, never the vocabulary.
void Sampler::choose_largest(std::span<const float> logits, size_t n) {
  candidates_.clear();
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!std::isfinite(logits[i])) continue;
    if (candidates_.size() == n && logits[i] <= candidates_.front().value) continue;
    if (candidates_.size() == n) {
      std::pop_heap(candidates_.begin(), candidates_.end(), likelier);
      candidates_.pop_back();
    }
    candidates_.push_back({logits[i], static_cast<int32_t>(i)});
    std::push_heap(candidates_.begin(), candidates_.end(), likelier);
  }
  std::sort_heap(candidates_.begin(), candidates_.end(), likelier);
}

// candidates_ = what top-p and min-p leave, in order. Weights are counted by size first (16 classes an octave, none
// above 1), so that only the classes that are needed to reach top_p are sorted.
void Sampler::choose_nucleus(std::span<const float> weights, double total) {
  const auto class_of = [](float weight) { return std::bit_cast<uint32_t>(weight) >> 19; };
  std::array<double, 2048> sums{};
  size_t n_finite = 0;
  for (float weight : weights)
    if (std::isfinite(weight)) sums[class_of(weight)] += weight, ++n_finite;
  uint32_t least = class_of(1);
  double reached = sums[least];
  const auto lower = [&] {
    while (least > 0 && sums[--least] == 0) {
    }
    reached += sums[least];
  };
  while (least > class_of(params_.min_p) && reached < params_.top_p * total) lower();
  for (;; lower()) {
    candidates_.clear();
    for (size_t i = 0; i < weights.size(); ++i)
      if (std::isfinite(weights[i]) && class_of(weights[i]) >= least)
        candidates_.push_back({weights[i], static_cast<int32_t>(i)});
    std::sort(candidates_.begin(), candidates_.end(), likelier);
    if (truncate(total, candidates_.size() == n_finite)) return;
  }
}

int32_t Sampler::draw(std::span<float> logits) {
  float largest = -INFINITY;
  for (float logit : logits)
    if (std::isfinite(logit)) largest = std::max(largest, logit);
  const auto weight_of = [&](float logit) { return std::exp((logit - largest) / params_.temperature); };
  const bool is_truncated = params_.top_p < 1 || params_.min_p > 0;
  double total = 0;
  if (params_.top_k > 0) {
    choose_largest(logits, std::min(static_cast<size_t>(params_.top_k), logits.size()));
    for (Candidate& c : candidates_) total += c.value = weight_of(c.value);
    if (!is_truncated) return draw_from_candidates();
    std::sort(candidates_.begin(), candidates_.end(), likelier);  // logits that differ may have equal weights
    truncate(total, /*are_all=*/true);
    return draw_from_candidates();
  }
  for (float& x : logits)
    if (std::isfinite(x)) total += x = weight_of(x);  // weights from here on
  if (!is_truncated) return draw_from_all(logits, total);
  choose_nucleus(logits, total);
  return draw_from_candidates();
}

int32_t Sampler::draw_from_all(std::span<const float> weights, double total) {
  double point = uniform() * total;
  int32_t last = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (!std::isfinite(weights[i])) continue;
    last = static_cast<int32_t>(i);
    if ((point -= weights[i]) < 0) return last;
  }
  return last;
}

int32_t Sampler::draw_from_candidates() {
  double total = 0;
  for (const Candidate& c : candidates_) total += c.value;
  double point = uniform() * total;
  for (const Candidate& c : candidates_)
    if ((point -= c.value) < 0) return c.id;
  return candidates_.back().id;
}

// Top-p and min-p on the likeliest candidates in order. False: there have to be more of them to tell.
bool Sampler::truncate(double total, bool are_all) {
  double sum = 0;
  size_t kept = 0;
  while (kept < candidates_.size() && (kept == 0 || sum < params_.top_p * total)) sum += candidates_[kept++].value;
  const float least = candidates_[0].value * params_.min_p;
  if (kept == candidates_.size() && !are_all && candidates_[kept - 1].value >= least) return false;
  while (kept > 1 && candidates_[kept - 1].value < least) --kept;
  candidates_.resize(kept);
  return true;
}

}  // namespace hearth
