// A sequence's life: sampled tokens become text, text is cut at stop strings, ends are noticed.
#include "inference/sequence.h"

#include <algorithm>
#include <limits>

namespace hearth {
namespace {

double seconds(Sequence::Clock::duration d) {
  return std::chrono::duration<double>(d).count();
}

std::vector<int32_t> end_tokens(const GenerationRequest& request, const LoadedModel& model) {
  std::vector<int32_t> out = request.stop_ids;
  if (request.ignore_eos) return out;
  const std::vector<int32_t>& own = model.generation.eos_ids;
  out.insert(out.end(), own.begin(), own.end());
  if (own.empty() && model.tokenizer->eos_id()) out.push_back(*model.tokenizer->eos_id());
  std::erase_if(out, [&](int32_t id) { return id < 0 || id >= model.config.vocab_size; });
  return out;
}

}  // namespace

Sequence::Sequence(const GenerationRequest& request, const LoadedModel& model, int max_seq_len)
    : tokens(request.prompt),
      request_(request),
      end_ids_(end_tokens(request, model)),
      sampler_(request.sampling),
      tokenizer_(*model.tokenizer),
      decoder_(*model.tokenizer, /*skip_special=*/false),
      stops_(request.stop) {
  const int room = max_seq_len - static_cast<int>(request.prompt.size());
  max_tokens_ = request.max_tokens > 0 ? std::min(request.max_tokens, room) : room;
  summary_.n_prompt_tokens = static_cast<int>(request.prompt.size());
}

bool Sequence::admitted(int at_slot, int n_reused) {
  slot = at_slot;
  n_cached = n_reused;
  if (admitted_ != Clock::time_point{}) return false;
  admitted_ = Clock::now();
  std::lock_guard lock(mutex_);
  summary_.n_cached_tokens = n_reused;
  summary_.queue_s = seconds(admitted_ - created_);
  return true;
}

void Sequence::preempted() {
  slot = -1;
  n_cached = 0;
}

bool Sequence::is_end(int32_t token) const {
  return std::find(end_ids_.begin(), end_ids_.end(), token) != end_ids_.end();
}

bool Sequence::is_shown(int32_t token) const {
  return !tokenizer_.is_special(token) ||
         std::binary_search(request_.shown_special.begin(), request_.shown_special.end(), token);
}

std::optional<DrawChoice> Sequence::choose() {
  return may_end() ? sampler_.choose() : std::nullopt;
}

bool Sequence::accept(std::span<float> logits) {
  if (!may_end())
    for (int32_t id : end_ids_) logits[static_cast<size_t>(id)] = -std::numeric_limits<float>::infinity();
  return accept(sampler_.sample(logits, tokens));
}

bool Sequence::accept_drawn(int32_t token) {
  return accept(token < 0 ? Result<int32_t>(not_a_number()) : token);
}

bool Sequence::accept(Result<int32_t> sampled) {
  if (!sampled) {
    fail(std::move(sampled).error());
    return true;
  }
  if (first_token_ == Clock::time_point{}) first_token_ = Clock::now();
  ++summary_.n_completion_tokens;
  if (is_end(*sampled)) {
    finish(FinishReason::stop);
    return true;
  }
  tokens.push_back(*sampled);
  summary_.tokens.push_back(*sampled);
  if (is_shown(*sampled)) show(stops_.push(decoder_.push(*sampled)));
  if (stops_.stopped())
    finish(FinishReason::stop);
  else if (summary_.n_completion_tokens >= max_tokens_)
    finish(FinishReason::length);
  else
    return false;
  return true;
}

void Sequence::show(const std::string& text) {
  if (text.empty()) return;
  std::lock_guard lock(mutex_);
  unread_ += text;
  summary_.text += text;
  changed_.notify_one();
}

void Sequence::finish(FinishReason reason) {
  if (!stops_.stopped()) show(stops_.push(decoder_.finish()) + stops_.finish());
  std::lock_guard lock(mutex_);
  const Clock::time_point now = Clock::now(), first = first_token_ == Clock::time_point{} ? now : first_token_;
  summary_.finish = reason;
  summary_.prefill_s = seconds(first - (admitted_ == Clock::time_point{} ? first : admitted_));
  summary_.decode_s = seconds(now - first);
  finished_ = true;
  changed_.notify_one();
}

void Sequence::fail(Error error) {
  std::lock_guard lock(mutex_);
  error_ = std::move(error);
  finished_ = true;
  changed_.notify_one();
}

void Sequence::cancel() {
  finish(FinishReason::cancelled);
}

bool Sequence::wait(std::string& text) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return finished_ || !unread_.empty(); });
  text = std::exchange(unread_, std::string());
  return !text.empty();
}

void Sequence::request_cancel() {
  std::lock_guard lock(mutex_);
  cancel_requested_ = true;
}

bool Sequence::cancel_requested() const {
  std::lock_guard lock(mutex_);
  return cancel_requested_;
}

Result<GenerationSummary> Sequence::take_result() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return finished_; });
  if (error_) return *std::move(error_);
  return std::move(summary_);
}

}  // namespace hearth
