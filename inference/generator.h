// Generates text: takes requests from any number of threads and runs them together, a token each per step, with prompts
// read in chunks between (continuous batching).
//
//   auto generator = TRY(Generator::create(model, {}));
//   GenerationRequest request{.prompt = TRY(model->tokenizer->encode("Once")), .max_tokens = 64};
//   auto summary = TRY(generator->generate(request, [](std::string_view text) { fmt::print("{}", text); return true; },
//   {}));
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "inference/open_runner.h"
#include "inference/sampling.h"
#include "inference/step_runner.h"

namespace hearth {

struct GenerationRequest {
  std::vector<int32_t> prompt;  // at least one token, shorter than the context
  int n_lasting = 0;            // tokens of the prompt that a next turn would begin with too; 0: unknown
  int max_tokens = 0;           // 0: as many as the context has room for
  SamplingParams sampling;
  std::vector<std::string> stop;  // at most 16, each at most 1 KiB; not shown
  std::vector<int32_t> stop_ids;  // besides the model's own end tokens; at most 64
  int min_tokens = 0;             // neither the model's end tokens nor stop_ids are sampled before so many
  // Special tokens whose text is shown, sorted: the marks of the model's answer format. Others leave no text.
  std::vector<int32_t> shown_special;
  bool ignore_eos = false;  // the model's own end tokens are tokens like any other
};

enum class FinishReason { stop, length, cancelled };
std::string_view finish_reason_name(FinishReason reason);  // OpenAI's words; cancelled: "cancelled"

struct GenerationSummary {
  FinishReason finish = FinishReason::stop;
  std::string text;             // all that was shown
  std::vector<int32_t> tokens;  // generated, without the end token
  int n_prompt_tokens = 0;
  int n_cached_tokens = 0;      // of the prompt, found in the cache from an earlier request
  int n_completion_tokens = 0;  // with the end token
  double queue_s = 0, prefill_s = 0, decode_s = 0;
  // Of the tokens after the first, which reading the prompt yields; 0 when there are none.
  double decode_tokens_per_s() const {
    return n_completion_tokens > 1 && decode_s > 0 ? (n_completion_tokens - 1) / decode_s : 0;
  }
};

struct GeneratorOptions {
  StepOptions step;
  FitToDevice fit_to_device = {};
  int prefill_chunk = 256;  // most tokens of a step; bounds how long running answers wait for a new prompt
  int max_waiting = 256;    // more requests than this are refused (unavailable)
};

struct GeneratorStats {
  uint64_t n_requests = 0, n_prompt_tokens = 0, n_completion_tokens = 0, n_steps = 0, n_cancelled = 0,
           n_graphs_built = 0;
  // Of the prompts: tokens found in the cache at admission, tokens run through the model. Preempted: sequences that
  // gave up their pages to older ones for a while.
  uint64_t n_reused_tokens = 0, n_read_tokens = 0, n_preempted = 0;
  int n_running = 0, n_waiting = 0;
  int n_pages = 0, n_pages_in_use = 0, n_pages_kept = 0;  // of the cache; kept: for sequences that begin alike
  double busy_s = 0;
};

class Generator {
 public:
  static Result<std::unique_ptr<Generator>> create(std::shared_ptr<const LoadedModel> model,
                                                   const GeneratorOptions& options);
  virtual ~Generator() = default;

  // Blocks until the answer is complete. on_text gets whole characters as they come, on the calling thread; returning
  // false cancels, as does `stop`. Errors: invalid_argument (prompt too long for the context, bad parameters),
  // unavailable (too many waiting), internal (the model produced no number).
  using OnText = std::function<bool(std::string_view text)>;
  virtual Result<GenerationSummary> generate(const GenerationRequest& request, const OnText& on_text,
                                             std::stop_token stop) = 0;

  // The errors of a request that are known before it runs.
  virtual Result<void> check(const GenerationRequest& request) const = 0;

  virtual GeneratorStats stats() const = 0;
  virtual void forget_counts() = 0;  // what was counted so far was nobody's request
  virtual const Device& device() const = 0;
  virtual int max_seq_len() const = 0;
  virtual const LoadedModel& model() const = 0;
};

}  // namespace hearth
