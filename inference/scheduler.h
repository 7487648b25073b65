// The scheduler: which tokens run in the next step. One thread of its own owns the StepRunner and all running
// sequences.
#pragma once

#include <atomic>
#include <deque>
#include <thread>

#include "inference/sequence.h"

namespace hearth {

class Scheduler final : public Generator {
 public:
  Scheduler(std::shared_ptr<const LoadedModel> model, OpenedRunner opened, const GeneratorOptions& options);
  ~Scheduler() override;

  Result<GenerationSummary> generate(const GenerationRequest& request, const OnText& on_text,
                                     std::stop_token stop) override;
  Result<void> check(const GenerationRequest& request) const override;
  GeneratorStats stats() const override;
  void forget_counts() override;
  const Device& device() const override { return device_; }
  int max_seq_len() const override { return runner_->max_seq_len(); }
  const LoadedModel& model() const override { return *model_; }

 private:
  struct Slot {
    std::shared_ptr<Sequence> running;
    uint64_t admission = 0;    // which admission this was: prompts are read in this order
    std::vector<int> keep_at;  // lengths at which the state of recurrences is kept, rising
  };

  void loop();
  bool wait_for_work();
  void admit();
  std::shared_ptr<Sequence> next_waiting();
  bool admit(std::shared_ptr<Sequence> sequence, Slot& slot);
  std::vector<int> lengths_to_keep(const Sequence& sequence, const StepRunner::Beginning& beginning) const;
  void drop_cancelled();
  std::vector<StepToken> next_tokens() const;
  Result<void> reserve(std::span<const StepToken> tokens);
  std::vector<StepToken> tokens_with_pages();
  void preempt(Slot& slot);
  void choose_draws(std::vector<StepToken>& tokens);
  bool accept(Sequence& sequence, const StepToken& token, const TensorView& logits, int64_t row);
  void step();
  void release(Slot& slot);
  void note_pages();  // with mutex_ held
  Slot* free_slot();
  int n_running() const;
  int index_of(const Slot& slot) const { return static_cast<int>(&slot - slots_.data()); }

  std::shared_ptr<const LoadedModel> model_;
  std::unique_ptr<StepRunner> runner_;
  const Device device_;
  GeneratorOptions options_;
  std::vector<Slot> slots_;  // scheduler thread only
  uint64_t n_admitted_ = 0;
  bool waits_for_pages_ = false;  // the first in the queue, until a sequence ends

  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::deque<std::shared_ptr<Sequence>> waiting_;
  bool stopping_ = false;
  GeneratorStats stats_;
  std::thread thread_;
};

}  // namespace hearth
