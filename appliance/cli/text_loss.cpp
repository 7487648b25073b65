// Log-softmax in double, over float32 logits.
#include "appliance/cli/text_loss.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>

namespace hearth::cli {

static double log_likelihood(std::span<const float> logits, int32_t id) {
  double highest = *std::max_element(logits.begin(), logits.end()), sum = 0;
  for (float logit : logits) sum += std::exp(logit - highest);
  return logits[static_cast<size_t>(id)] - highest - std::log(sum);
}

Result<SequenceLogits> open_logits(const LoadedModel& model, const LogitsOptions& options) {
  SequenceLogits out = TRY(SequenceLogits::create(model, options));
  if (const std::string& reason = out.device().reason; !reason.empty())
    fmt::print(stderr, "no GPU is used: {}\n", reason);
  return out;
}

Result<void> add_text_loss(SequenceLogits& model, std::span<const int32_t> ids, std::span<const uint8_t> counts,
                           TextLoss& out) {
  if (ids.size() < 2) return {};
  const Tensor logits = TRY(model.of(ids));
  const auto n_vocab = static_cast<size_t>(logits.type().shape[1]);
  std::span<const float> all(logits.f32(), ids.size() * n_vocab);
  for (size_t i = 1; i < ids.size(); ++i) {
    if (!counts.empty() && !counts[i]) continue;
    out.nll -= log_likelihood(all.subspan((i - 1) * n_vocab, n_vocab), ids[i]);
    ++out.n_tokens;
  }
  return {};
}

}  // namespace hearth::cli
