// Log-softmax in double, over float32 logits.
#include "appliance/cli/text_loss.h"

#include <algorithm>
#include <cmath>

#include "inference/logits.h"

namespace hearth::cli {

static double log_likelihood(std::span<const float> logits, int32_t id) {
  double highest = *std::max_element(logits.begin(), logits.end()), sum = 0;
  for (float logit : logits) sum += std::exp(logit - highest);
  return logits[static_cast<size_t>(id)] - highest - std::log(sum);
}

Result<void> add_text_loss(const LoadedModel& model, std::span<const int32_t> ids, std::span<const uint8_t> counts, int n_threads, TextLoss& out) {
  if (ids.size() < 2) return {};
  Tensor logits = TRY(whole_logits(model, ids, n_threads));
  auto n_vocab = static_cast<size_t>(model.config.vocab_size);
  std::span<const float> all(static_cast<const float*>(logits.view().data), ids.size() * n_vocab);
  for (size_t i = 1; i < ids.size(); ++i) {
    if (!counts.empty() && !counts[i]) continue;
    out.nll -= log_likelihood(all.subspan((i - 1) * n_vocab, n_vocab), ids[i]);
    ++out.n_tokens;
  }
  return {};
}

}  // namespace hearth::cli
