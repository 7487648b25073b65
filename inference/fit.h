// Will it fit: what a deployment needs in memory, before anything is loaded, and why.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "inference/step_runner.h"

namespace hearth {

constexpr int kShortestContext = 512;  // what a shortened context keeps

struct MemoryFit {
  enum class Verdict { fits, tight, too_large } verdict = Verdict::fits;
  uint64_t weights_bytes = 0, kv_bytes = 0, activation_bytes = 0, total_bytes = 0, available_bytes = 0;
  int max_seq_len = 0;
  std::optional<double> decode_tokens_per_s;  // one conversation: decode_tokens_per_s(..., 1); none for encoders
  std::string explanation;
};

// available_bytes: memory that can be used now. bytes_per_s: measured memory read bandwidth, 0 when unknown.
// options.max_seq_len 0: the model's own, shortened so that the cache takes at most half of what is left after the
// weights, but not below kShortestContext; a context that was asked for is not shortened. Errors: those of the
// configuration.
Result<MemoryFit> memory_fit(const ModelConfig& config, uint64_t weights_bytes, const StepOptions& options,
                             uint64_t available_bytes, double bytes_per_s);

// All conversations together, when n_sequences decode at once: a step reads what read_share() says of the weights, at
// bytes_per_s, and yields one token for each. The cache is not counted: it is what a long conversation loses to this.
Result<double> decode_tokens_per_s(const ModelConfig& config, uint64_t weights_bytes, double bytes_per_s,
                                   int n_sequences);

// The longest context, at most `wanted` (0: the model's own), whose cache takes at most half of what the weights leave.
Result<int> affordable_context(const ModelConfig& config, uint64_t weights_bytes, const StepOptions& options,
                               uint64_t available_bytes);

}  // namespace hearth
