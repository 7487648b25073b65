// Continuous batching: every running answer gets one token per step, the rest of the step's budget reads prompts.
#include "inference/scheduler.h"

#include <algorithm>
#include <functional>

namespace hearth {
namespace {

constexpr size_t kMaxStops = 16, kMaxStopBytes = 1024, kMaxStopIds = 64;

size_t common_prefix(const std::vector<int32_t>& a, const std::vector<int32_t>& b) {
  const size_t n = std::min(a.size(), b.size());
  return static_cast<size_t>(std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(n), b.begin()).first -
                             a.begin());
}

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
  std::unique_ptr<StepRunner> runner = TRY(StepRunner::create(model, options.step));
  return std::unique_ptr<Generator>(new Scheduler(std::move(model), std::move(runner), options));
}

Scheduler::Scheduler(std::shared_ptr<const LoadedModel> model, std::unique_ptr<StepRunner> runner,
                     const GeneratorOptions& options)
    : model_(std::move(model)),
      runner_(std::move(runner)),
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
      release(slot);
      std::lock_guard lock(mutex_);
      ++stats_.n_cancelled;
    }
  std::lock_guard lock(mutex_);
  std::erase_if(waiting_, [&](const std::shared_ptr<Sequence>& sequence) {
    if (!sequence->cancel_requested()) return false;
    sequence->cancel();
    ++stats_.n_cancelled;
    return true;
  });
}

// How many tokens of a slot a prompt can re-use. The last prompt token must run: its logits are needed. Where states
// cannot go back, it is all of the slot or nothing.
size_t Scheduler::n_reusable(const Slot& slot, const std::vector<int32_t>& prompt) const {
  const size_t n = std::min(common_prefix(slot.cached, prompt), prompt.size() - 1);
  return runner_->can_go_back() || n == slot.cached.size() ? n : 0;
}

// The free slot of which the prompt can re-use most; among equals the one unused for longest.
Scheduler::Slot& Scheduler::best_slot(const std::vector<int32_t>& prompt, size_t& n_common) {
  Slot* best = nullptr;
  n_common = 0;
  for (Slot& slot : slots_) {
    if (slot.running) continue;
    const size_t n = n_reusable(slot, prompt);
    if (!best || n > n_common || (n == n_common && slot.last_used < best->last_used)) best = &slot, n_common = n;
  }
  return *best;
}

void Scheduler::admit() {
  while (std::any_of(slots_.begin(), slots_.end(), [](const Slot& s) { return !s.running; })) {
    std::shared_ptr<Sequence> sequence;
    {
      std::lock_guard lock(mutex_);
      if (waiting_.empty()) return;
      sequence = std::move(waiting_.front());
      waiting_.pop_front();
      if (sequence->cancel_requested()) {  // since drop_cancelled
        sequence->cancel();
        ++stats_.n_cancelled;
        continue;
      }
      ++stats_.n_running;
      stats_.n_prompt_tokens += sequence->tokens.size();
    }
    size_t n_common = 0;
    Slot& slot = best_slot(sequence->tokens, n_common);
    slot.cached.resize(n_common);
    sequence->admitted(static_cast<int>(&slot - slots_.data()), static_cast<int>(n_common));
    slot.running = std::move(sequence);
    slot.admission = ++n_admitted_;
  }
}

// All decoding sequences first, one token each; then prompts, oldest admission first, up to the chunk.
std::vector<StepToken> Scheduler::next_tokens() {
  std::vector<StepToken> tokens;
  auto append = [&](Slot& slot, int n) {
    Sequence& s = *slot.running;
    for (int i = 0; i < n; ++i) {
      const int position = s.n_cached + i;
      tokens.push_back({s.tokens[static_cast<size_t>(position)], position, s.slot,
                        position + 1 == static_cast<int>(s.tokens.size())});
    }
  };
  for (Slot& slot : slots_)
    if (slot.running && slot.running->is_decoding()) append(slot, slot.running->n_uncached());
  std::vector<Slot*> prompts;
  for (Slot& slot : slots_)
    if (slot.running && !slot.running->is_decoding()) prompts.push_back(&slot);
  std::sort(prompts.begin(), prompts.end(), [](const Slot* a, const Slot* b) { return a->admission < b->admission; });
  for (Slot* slot : prompts) {
    const int budget = options_.prefill_chunk - static_cast<int>(tokens.size());
    if (budget > 0) append(*slot, std::min(budget, slot->running->n_uncached()));
  }
  return tokens;
}

void Scheduler::step() {
  const std::vector<StepToken> tokens = next_tokens();
  if (tokens.empty()) return;
  const auto begin = Sequence::Clock::now();
  auto logits = runner_->run(tokens);
  uint64_t n_completions = 0;
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
    ++sequence.n_cached;
    slot.cached.push_back(token.id);
    if (!token.wants_logits) continue;
    ++n_completions;
    std::span<float> out(static_cast<float*>(logits->row(row++)), static_cast<size_t>(runner_->vocab_size()));
    if (sequence.accept(out)) release(slot);
  }
  std::lock_guard lock(mutex_);
  ++stats_.n_steps;
  stats_.n_graphs_built = runner_->n_graphs_built();
  stats_.n_completion_tokens += n_completions;
  stats_.busy_s += std::chrono::duration<double>(Sequence::Clock::now() - begin).count();
}

void Scheduler::release(Slot& slot) {
  slot.running.reset();
  slot.last_used = ++clock_;
  std::lock_guard lock(mutex_);
  --stats_.n_running;
}

}  // namespace hearth
