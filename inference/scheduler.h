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
  Scheduler(std::shared_ptr<const LoadedModel> model, std::unique_ptr<StepRunner> runner,
            const GeneratorOptions& options);
  ~Scheduler() override;

  Result<GenerationSummary> generate(const GenerationRequest& request, const OnText& on_text,
                                     std::stop_token stop) override;
  Result<void> check(const GenerationRequest& request) const override;
  GeneratorStats stats() const override;
  int max_seq_len() const override { return runner_->max_seq_len(); }
  const LoadedModel& model() const override { return *model_; }

 private:
  // What a slot of the cache holds: tokens stay after their sequence ended, so that a conversation's next turn finds
  // its prefix.
  struct Slot {
    std::vector<int32_t> cached;
    std::shared_ptr<Sequence> running;
    uint64_t last_used = 0;
    uint64_t admission = 0;  // which admission this was: prompts are read in this order
  };

  void loop();
  bool wait_for_work();
  void admit();
  void drop_cancelled();
  std::vector<StepToken> next_tokens();
  void step();
  void release(Slot& slot);
  size_t n_reusable(const Slot& slot, const std::vector<int32_t>& prompt) const;
  Slot& best_slot(const std::vector<int32_t>& prompt, size_t& n_common);

  std::shared_ptr<const LoadedModel> model_;
  std::unique_ptr<StepRunner> runner_;
  GeneratorOptions options_;
  std::vector<Slot> slots_;  // scheduler thread only
  uint64_t clock_ = 0, n_admitted_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::deque<std::shared_ptr<Sequence>> waiting_;
  bool stopping_ = false;
  GeneratorStats stats_;
  std::thread thread_;
};

}  // namespace hearth
