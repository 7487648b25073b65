// Negative log-likelihood of tokens under a model, by the whole-sequence graph. For `perplexity` and `eval`.
#pragma once

#include <cstdint>
#include <span>

#include "inference/logits.h"

namespace hearth::cli {

struct TextLoss {
  double nll = 0;  // sum, nats
  int64_t n_tokens = 0;
  double mean() const { return n_tokens ? nll / static_cast<double>(n_tokens) : 0; }
};

// With a line on stderr where a GPU is passed over.
Result<SequenceLogits> open_logits(const LoadedModel& model, const LogitsOptions& options);

// Adds the tokens ids[i], i ≥ 1, that count: all where `counts` is empty, else those with counts[i] != 0.
Result<void> add_text_loss(SequenceLogits& model, std::span<const int32_t> ids, std::span<const uint8_t> counts,
                           TextLoss& out);

}  // namespace hearth::cli
