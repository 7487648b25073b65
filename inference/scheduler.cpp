// Continuous batching: every running answer gets one token per step, the rest of the step's budget reads prompts.
#include "inference/scheduler.h"

#include <algorithm>
#include <functional>

namespace hearth {
namespace {

constexpr size_t kMaxStops = 16, kMaxStopBytes = 1024, kMaxStopIds = 64;

Result<void> check_request(const GenerationRequest& request, const LoadedModel& model, int max_seq_len) {
  TRY(validate(request.sampling));
  if (request.prompt.empty()) return error(Code::invalid_argument, "the prompt is empty; give at least one token");
  if (static_cast<int64_t>(request.prompt.size()) >= max_seq_len)
    return error(Code::invalid_argument,
                 "the prompt has {} tokens and this deployment's context has room for {} with an answer; shorten the "
                 "conversation",
                 request.prompt.size(), max_seq_len - 1);
  if (request.stop_ids.size() > kMaxStopIds)
    return error(Code::invalid_argument, "at most {} stop token ids, got {}", kMaxStopIds, request.stop_ids.size());
  for (const std::vector<int32_t>& ids : {std::cref(request.prompt), std::cref(request.stop_ids)})
    for (int32_t id : ids)
      if (id < 0 || id >= model.config.vocab_size)
        return error(Code::invalid_argument, "token id {} is outside the model's vocabulary of {}", id,
                     model.config.vocab_size);
  if (request.n_lasting < 0 || request.n_lasting > static_cast<int>(request.prompt.size()))
    return error(Code::invalid_argument, "n_lasting must be 0 to {}, the prompt's length, got {}",
                 request.prompt.size(), request.n_lasting);
  if (request.max_tokens < 0)
    return error(Code::invalid_argument, "max_tokens must not be negative, got {}", request.max_tokens);
  if (request.stop.size() > kMaxStops)
    return error(Code::invalid_argument, "at most {} stop strings, got {}", kMaxStops, request.stop.size());
  for (const std::string& stop : request.stop)
    if (stop.size() > kMaxStopBytes)
      return error(Code::invalid_argument, "a stop string has {} bytes; at most {}", stop.size(), kMaxStopBytes);
  return {};
}

}  // namespace

std::string_view finish_reason_name(FinishReason reason) {
  switch (reason) {
    case FinishReason::stop:
      return "stop";
    case FinishReason::length:
      return "length";
    case FinishReason::cancelled:
      return "cancelled";
  }
  return "";
}

Result<std::unique_ptr<Generator>> Generator::create(std::shared_ptr<const LoadedModel> model,
                                                     const GeneratorOptions& options) {
  if (const ModelTask task = TRY(find_architecture(model->config.family))->task(); task != ModelTask::generate)
    return error(Code::invalid_argument, "{} {}; only models that write text can generate or chat",
                 model->path.filename().string(),
                 task == ModelTask::embed ? "is an embedder, which turns texts into vectors (/v1/embeddings)"
                                          : "is a reranker, which scores pairs of texts (/v1/rerank)");
  if (!model->tokenizer) {
    if (model->tokenizer_problem) return *model->tokenizer_problem;
    return error(Code::failed_precondition, "{} has no tokenizer; text cannot be generated with it",
                 model->path.string());
  }
  if (options.prefill_chunk < 1 || options.prefill_chunk > 65536)
    return error(Code::invalid_argument, "the prefill chunk must be 1 to 65536 tokens, got {}", options.prefill_chunk);
  OpenedRunner opened = TRY(open_runner(model, options.step, options.fit_to_device));
  return std::unique_ptr<Generator>(new Scheduler(std::move(model), std::move(opened), options));
}

Scheduler::Scheduler(std::shared_ptr<const LoadedModel> model, OpenedRunner opened, const GeneratorOptions& options)
    : model_(std::move(model)),
      runner_(std::move(opened.runner)),
      device_(std::move(opened.device)),
      options_(options),
      slots_(static_cast<size_t>(runner_->n_slots())),
      thread_([this] { loop(); }) {}

Scheduler::~Scheduler() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  thread_.join();
}

Result<GenerationSummary> Scheduler::generate(const GenerationRequest& request, const OnText& on_text,
                                              std::stop_token stop) {
  TRY(check(request));
  auto sequence = std::make_shared<Sequence>(request, *model_, max_seq_len());
  std::stop_callback on_stop(stop, [&] {  // before it is queued: what was stopped earlier never runs
    sequence->request_cancel();
    work_.notify_one();
  });
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return error(Code::unavailable, "the engine is stopping");
    if (static_cast<int>(waiting_.size()) >= options_.max_waiting)
      return error(Code::unavailable, "{} requests are waiting already; try again later", waiting_.size());
    waiting_.push_back(sequence);
    ++stats_.n_requests;
  }
  work_.notify_one();
  std::string text, shown;
  bool is_refused = false;
  while (sequence->wait(text)) {
    if (is_refused || !on_text) continue;
    shown += text;
    is_refused = !on_text(text);
    if (is_refused) sequence->request_cancel();
  }
  GenerationSummary summary = TRY(sequence->take_result());
  if (is_refused) {  // whatever else came before the scheduler noticed
    summary.finish = FinishReason::cancelled;
    summary.text = std::move(shown);
  }
  return summary;
}

Result<void> Scheduler::check(const GenerationRequest& request) const {
  return check_request(request, *model_, max_seq_len());
}

void Scheduler::forget_counts() {
  std::lock_guard lock(mutex_);
  const GeneratorStats now = stats_;
  stats_ = {.n_graphs_built = now.n_graphs_built, .n_running = now.n_running};
  stats_.n_pages = now.n_pages, stats_.n_pages_in_use = now.n_pages_in_use, stats_.n_pages_kept = now.n_pages_kept;
}

GeneratorStats Scheduler::stats() const {
  std::lock_guard lock(mutex_);
  GeneratorStats out = stats_;
  out.n_waiting = static_cast<int>(waiting_.size());
  return out;
}

void Scheduler::loop() {
  while (wait_for_work()) {
    drop_cancelled();
    admit();
    step();
  }
  for (Slot& slot : slots_)
    if (slot.running) slot.running->fail(error(Code::unavailable, "the engine is stopping"));
  std::lock_guard lock(mutex_);
  for (const auto& sequence : waiting_) sequence->fail(error(Code::unavailable, "the engine is stopping"));
  waiting_.clear();
}

bool Scheduler::wait_for_work() {
  std::unique_lock lock(mutex_);
  const bool is_running = std::any_of(slots_.begin(), slots_.end(), [](const Slot& s) { return s.running != nullptr; });
  if (!is_running) work_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
  return !stopping_;
}

void Scheduler::drop_cancelled() {
  for (Slot& slot : slots_)
    if (slot.running && slot.running->cancel_requested()) {
      slot.running->cancel();
      runner_->keep(index_of(slot));
      release(slot);
      std::lock_guard lock(mutex_);
      ++stats_.n_cancelled;
    }
  std::lock_guard lock(mutex_);
  std::erase_if(waiting_, [&](const std::shared_ptr<Sequence>& sequence) {
    if (!sequence->cancel_requested()) return false;
    sequence->cancel();
    waits_for_pages_ = false;  // perhaps it was the one
    ++stats_.n_cancelled;
    return true;
  });
}

Scheduler::Slot* Scheduler::free_slot() {
  const auto slot = std::find_if(slots_.begin(), slots_.end(), [](const Slot& s) { return !s.running; });
  return slot == slots_.end() ? nullptr : &*slot;
}

int Scheduler::n_running() const {
  return static_cast<int>(
      std::count_if(slots_.begin(), slots_.end(), [](const Slot& s) { return s.running != nullptr; }));
}

// The first in the queue that is not cancelled; null: none.
std::shared_ptr<Sequence> Scheduler::next_waiting() {
  std::lock_guard lock(mutex_);
  while (!waiting_.empty()) {
    std::shared_ptr<Sequence> sequence = std::move(waiting_.front());
    waiting_.pop_front();
    if (!sequence->cancel_requested()) return sequence;
    sequence->cancel();  // since drop_cancelled
    ++stats_.n_cancelled;
  }
  return nullptr;
}

void Scheduler::admit() {
  while (Slot* slot = waits_for_pages_ ? nullptr : free_slot()) {
    std::shared_ptr<Sequence> sequence = next_waiting();
    if (!sequence || !admit(std::move(sequence), *slot)) return;
  }
}

// With pages for all that it has to read and one token more. False: the others have them; it waits until one ends.
bool Scheduler::admit(std::shared_ptr<Sequence> sequence, Slot& slot) {
  const std::span<const int32_t> tokens = sequence->tokens;
  // The last token must run: its logits are needed.
  const StepRunner::Beginning beginning = runner_->begin(index_of(slot), tokens.first(tokens.size() - 1));
  const int n_wanted = std::min(static_cast<int>(tokens.size()) + 1, max_seq_len());
  if (!runner_->reserve(index_of(slot), n_wanted) && n_running() > 0) {
    runner_->end(index_of(slot));
    waits_for_pages_ = true;
    std::lock_guard lock(mutex_);
    waiting_.push_front(std::move(sequence));
    return false;
  }
  slot.keep_at = lengths_to_keep(*sequence, beginning);
  const bool is_first = sequence->admitted(index_of(slot), beginning.n_reused);
  slot.running = std::move(sequence);
  slot.admission = ++n_admitted_;
  std::lock_guard lock(mutex_);
  ++stats_.n_running;
  if (!is_first) return true;
  stats_.n_prompt_tokens += tokens.size();
  stats_.n_reused_tokens += static_cast<uint64_t>(beginning.n_reused);
  return true;
}

// Where the next turn will part from the prompt: templates end it otherwise, once it is answered. Where that is
// unknown, at its end and where a page ends a little before it. And where others parted from it, as more of them may.
std::vector<int> Scheduler::lengths_to_keep(const Sequence& sequence, const StepRunner::Beginning& beginning) const {
  if (!runner_->has_recurrences()) return {};
  constexpr int kAnswerBegins = 8;  // tokens that a template adds to ask for an answer, and more
  const int n = static_cast<int>(sequence.tokens.size()), page = runner_->page_size();
  std::vector<int> out{sequence.n_lasting()};
  if (sequence.n_lasting() == 0) out = {std::max(0, n - kAnswerBegins) / page * page, n};
  if (beginning.n_known - beginning.n_reused >= page) out.push_back(beginning.n_known);
  std::erase_if(out, [&](int length) { return length <= beginning.n_reused; });
  std::sort(out.begin(), out.end());
  return out;
}

// All decoding sequences first, one token each; then prompts, oldest admission first, up to the chunk. A step ends
// where a state is to be kept.
std::vector<StepToken> Scheduler::next_tokens() const {
  std::vector<StepToken> tokens;
  auto append = [&](const Slot& slot, int n) {
    const Sequence& s = *slot.running;
    for (const int length : slot.keep_at)
      if (length > s.n_cached) n = std::min(n, length - s.n_cached);
    for (int i = 0; i < n; ++i) {
      const int position = s.n_cached + i;
      tokens.push_back({s.tokens[static_cast<size_t>(position)], position, s.slot,
                        position + 1 == static_cast<int>(s.tokens.size())});
    }
  };
  std::vector<const Slot*> prompts;
  for (const Slot& slot : slots_) {
    if (!slot.running) continue;
    if (slot.running->is_decoding())
      append(slot, 1);
    else
      prompts.push_back(&slot);
  }
  std::sort(prompts.begin(), prompts.end(), [](const Slot* a, const Slot* b) { return a->admission < b->admission; });
  for (const Slot* slot : prompts) {
    const int budget = options_.prefill_chunk - static_cast<int>(tokens.size());
    if (budget > 0) append(*slot, std::min(budget, slot->running->n_uncached()));
  }
  return tokens;
}

Result<void> Scheduler::reserve(std::span<const StepToken> tokens) {
  for (const StepToken& token : tokens) TRY(runner_->reserve(token.slot, token.position + 1));
  return {};
}

// Where there are no pages for all, the sequence that came last gives up its own and waits.
std::vector<StepToken> Scheduler::tokens_with_pages() {
  while (true) {
    std::vector<StepToken> tokens = next_tokens();
    auto reserved = reserve(tokens);
    if (reserved) return tokens;
    Slot& last = *std::max_element(slots_.begin(), slots_.end(), [](const Slot& a, const Slot& b) {
      return (a.running ? a.admission : 0) < (b.running ? b.admission : 0);
    });
    if (n_running() > 1) {
      preempt(last);
    } else {
      last.running->fail(std::move(reserved).error());
      release(last);
    }
  }
}

// Its tokens are read again later, as far as their pages are not kept.
void Scheduler::preempt(Slot& slot) {
  std::shared_ptr<Sequence> sequence = slot.running;
  runner_->keep(index_of(slot));
  release(slot);
  sequence->preempted();
  std::lock_guard lock(mutex_);
  ++stats_.n_preempted;
  waiting_.push_front(std::move(sequence));
}

// Where tokens are drawn on the device, of all sequences that leave it to it.
void Scheduler::choose_draws(std::vector<StepToken>& tokens) {
  if (!runner_->draws_tokens()) return;
  for (StepToken& token : tokens)
    if (token.wants_logits) token.draw = slots_[static_cast<size_t>(token.slot)].running->choose();
}

bool Scheduler::accept(Sequence& sequence, const StepToken& token, const TensorView& logits, int64_t row) {
  if (token.draw) return sequence.accept_drawn(runner_->drawn()[static_cast<size_t>(row)]);
  return sequence.accept({static_cast<float*>(logits.row(row)), static_cast<size_t>(runner_->vocab_size())});
}

void Scheduler::step() {
  std::vector<StepToken> tokens = tokens_with_pages();
  if (tokens.empty()) return;
  choose_draws(tokens);
  const auto begin = Sequence::Clock::now();
  auto logits = runner_->run(tokens);
  uint64_t n_completions = 0, n_read = 0;
  int64_t row = 0;
  for (const StepToken& token : tokens) {
    Slot& slot = slots_[static_cast<size_t>(token.slot)];
    if (!slot.running) continue;  // it failed at an earlier token of this step
    if (!logits) {
      slot.running->fail(logits.error());
      release(slot);
      continue;
    }
    Sequence& sequence = *slot.running;
    n_read += sequence.n_cached < sequence.n_prompt_tokens() ? 1 : 0;
    ++sequence.n_cached;
    if (std::find(slot.keep_at.begin(), slot.keep_at.end(), sequence.n_cached) != slot.keep_at.end())
      runner_->keep(token.slot);
    if (!token.wants_logits) continue;
    ++n_completions;
    if (!accept(sequence, token, *logits, row++)) continue;
    runner_->keep(token.slot);
    release(slot);
  }
  std::lock_guard lock(mutex_);
  ++stats_.n_steps;
  stats_.n_graphs_built = runner_->n_graphs_built();
  stats_.n_read_tokens += n_read;
  stats_.n_completion_tokens += n_completions;
  note_pages();
  stats_.busy_s += std::chrono::duration<double>(Sequence::Clock::now() - begin).count();
}

void Scheduler::release(Slot& slot) {
  runner_->end(index_of(slot));
  slot.running.reset();
  waits_for_pages_ = false;
  std::lock_guard lock(mutex_);
  --stats_.n_running;
  note_pages();
}

void Scheduler::note_pages() {
  stats_.n_pages = runner_->n_pages();
  stats_.n_pages_in_use = runner_->n_pages_in_use();
  stats_.n_pages_kept = runner_->n_pages_kept();
}

}  // namespace hearth
