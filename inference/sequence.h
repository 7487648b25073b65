// One request on its way through the scheduler: its tokens, where it is in the cache, and its text so far. Internal.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "inference/generator.h"
#include "inference/stop_strings.h"

namespace hearth {

class Sequence {
 public:
  using Clock = std::chrono::steady_clock;
  Sequence(const GenerationRequest& request, const LoadedModel& model, int max_seq_len);

  // --- scheduler thread ---
  std::vector<int32_t> tokens;  // prompt and answer
  int n_cached = 0;             // tokens whose keys and values are in the cache
  int slot = -1;
  bool is_decoding() const { return n_uncached() == 1; }
  int n_uncached() const { return static_cast<int>(tokens.size()) - n_cached; }
  int n_prompt_tokens() const { return static_cast<int>(request_.prompt.size()); }
  int n_lasting() const { return request_.n_lasting; }
  bool admitted(int at_slot, int n_reused);  // true: for the first time
  void preempted();
  // How the next token is drawn where its logits are; none where accept() has to see them.
  std::optional<DrawChoice> choose();
  // Takes the logits after the last token, or what was drawn from them. True: finished.
  bool accept(std::span<float> logits);
  bool accept_drawn(int32_t token);
  void fail(Error error);
  void cancel();

  // --- caller's thread ---
  // Waits for text or the end. True: `text` holds something new; false: finished.
  bool wait(std::string& text);
  void request_cancel();
  bool cancel_requested() const;
  Result<GenerationSummary> take_result();

 private:
  bool may_end() const { return summary_.n_completion_tokens >= request_.min_tokens; }
  bool accept(Result<int32_t> sampled);
  bool is_end(int32_t token) const;
  bool is_shown(int32_t token) const;
  void show(const std::string& text);
  void finish(FinishReason reason);

  GenerationRequest request_;
  std::vector<int32_t> end_ids_;  // the model's and the request's, all in the vocabulary
  int max_tokens_;
  Sampler sampler_;
  const Tokenizer& tokenizer_;
  StreamDecoder decoder_;
  StopStrings stops_;
  Clock::time_point created_ = Clock::now(), admitted_{}, first_token_{};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string unread_;
  bool finished_ = false, cancel_requested_ = false;
  std::optional<Error> error_;
  GenerationSummary summary_;
};

}  // namespace hearth
