// The memory of a deployment: weights, cache, activations.
#include "inference/fit.h"

#include <algorithm>

#include "runtime/architectures/weight_traffic.h"

namespace hearth {
namespace {

std::string mib(uint64_t bytes) {
  return bytes >= uint64_t{10} << 30 ? fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1 << 30))
                                     : fmt::format("{:.0f} MiB", static_cast<double>(bytes) / (1 << 20));
}

// A prefill chunk's largest rows: the logits of a few, and some ten buffers of the widest layer.
uint64_t activation_bytes(const ModelConfig& c) {
  constexpr uint64_t kChunk = 256;
  const uint64_t widest = static_cast<uint64_t>(std::max({c.d_ff, c.d_model, c.n_heads * c.head_dim}));
  return 4 * (kChunk * widest * 10 + static_cast<uint64_t>(c.vocab_size) * 8);
}

Result<bool> generates(const ModelConfig& config) {
  return TRY(find_architecture(config.family))->task() == ModelTask::generate;
}

// Encoders have no cache.
Result<uint64_t> cache_bytes(const ModelConfig& config, int context, StepOptions options) {
  if (!TRY(generates(config))) return uint64_t{0};
  options.max_seq_len = context;
  return StepRunner::cache_bytes(config, options);
}

// What of the cache is for next turns of models with recurrences; 0 of all others.
Result<uint64_t> kept_bytes(const ModelConfig& config, const StepOptions& options) {
  const StateBytes bytes = TRY(serving_state_bytes(config, options.page_size, options.cache_dtype));
  return bytes.per_sequence * static_cast<uint64_t>(options.n_kept * options.n_slots);
}

Result<void> predict_speed(const ModelConfig& config, double bytes_per_s, int n_slots, MemoryFit& fit) {
  fit.decode_tokens_per_s = TRY(decode_tokens_per_s(config, fit.weights_bytes, bytes_per_s, 1));
  const double read = TRY(read_share(config)) * static_cast<double>(fit.weights_bytes);
  fit.explanation += fmt::format(" A token reads {} of the weights", mib(static_cast<uint64_t>(read)));
  fit.explanation +=
      n_slots == 1 ? "."
                   : fmt::format("; for {} conversations at once, memory allows {:.1f} tokens/s together.", n_slots,
                                 TRY(decode_tokens_per_s(config, fit.weights_bytes, bytes_per_s, n_slots)));
  return {};
}

}  // namespace

Result<int> affordable_context(const ModelConfig& config, uint64_t weights_bytes, const StepOptions& options,
                               uint64_t available_bytes) {
  const int wanted = options.max_seq_len > 0 ? std::min(options.max_seq_len, config.max_seq_len) : config.max_seq_len;
  const uint64_t left = available_bytes > weights_bytes ? (available_bytes - weights_bytes) / 2 : 0;
  int context = wanted;
  while (context > kShortestContext && TRY(cache_bytes(config, context, options)) > left)
    context = std::max(kShortestContext, context / 2);
  return context;
}

Result<double> decode_tokens_per_s(const ModelConfig& config, uint64_t weights_bytes, double bytes_per_s,
                                   int n_sequences) {
  const double bytes_a_step = TRY(read_share(config, n_sequences)) * static_cast<double>(weights_bytes);
  return n_sequences * bytes_per_s / bytes_a_step;
}

Result<MemoryFit> memory_fit(const ModelConfig& config, uint64_t weights_bytes, const StepOptions& options,
                             uint64_t available_bytes, double bytes_per_s) {
  MemoryFit fit;
  const int affordable = TRY(affordable_context(config, weights_bytes, options, available_bytes));
  fit.max_seq_len = options.max_seq_len > 0 ? std::min(options.max_seq_len, config.max_seq_len) : affordable;
  fit.weights_bytes = weights_bytes;
  fit.kv_bytes = TRY(cache_bytes(config, fit.max_seq_len, options));
  fit.activation_bytes = activation_bytes(config);
  fit.total_bytes = fit.weights_bytes + fit.kv_bytes + fit.activation_bytes;
  fit.available_bytes = available_bytes;
  using Verdict = MemoryFit::Verdict;
  fit.verdict = fit.total_bytes > available_bytes            ? Verdict::too_large
                : fit.total_bytes > available_bytes / 10 * 8 ? Verdict::tight
                                                             : Verdict::fits;
  fit.explanation =
      fmt::format("{} of weights, {} for {} conversations of {} tokens, {} of working memory: {} of {} available.",
                  mib(weights_bytes), mib(fit.kv_bytes), options.n_slots, fit.max_seq_len, mib(fit.activation_bytes),
                  mib(fit.total_bytes), mib(available_bytes));
  if (const uint64_t kept = TRY(kept_bytes(config, options)); kept > 0)
    fit.explanation += fmt::format(
        " Of the conversations' memory {} keep the state of recurrent layers, so that a next turn reads only what is "
        "new.",
        mib(kept));
  if (fit.verdict == Verdict::too_large) {
    const uint64_t at_least = fit.weights_bytes + fit.activation_bytes + TRY(cache_bytes(config, affordable, options));
    fit.explanation += at_least <= available_bytes
                           ? fmt::format(" It does not fit: with a context of {} tokens it would.", affordable)
                           : " It does not fit: choose a smaller model or a smaller quantisation, or undeploy another "
                             "model.";
  }
  if (fit.verdict == Verdict::tight) fit.explanation += " It fits, but leaves little for other programs.";
  if (fit.max_seq_len < config.max_seq_len && options.max_seq_len == 0)
    fit.explanation += fmt::format(" The context is shortened to {} of the model's {} tokens to fit the memory.",
                                   fit.max_seq_len, config.max_seq_len);
  if (bytes_per_s > 0 && weights_bytes > 0 && TRY(generates(config)))
    TRY(predict_speed(config, bytes_per_s, options.n_slots, fit));
  return fit;
}

}  // namespace hearth
