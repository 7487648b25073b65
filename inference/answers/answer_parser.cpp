// The parser of answers in sections: reasoning between two marks, calls behind a mark, everything else content. Blanks
// beside a mark belong to the format and are dropped.
#include "inference/answers/answer_parser.h"

#include <fmt/format.h>

#include <random>

#include "inference/answers/answer_builder.h"
#include "inference/answers/channel_parser.h"
#include "inference/answers/json_scanner.h"
#include "inference/answers/markers.h"

namespace hearth::answers {
namespace {

bool is_blank(std::string_view text) {
  return skip_blanks(text, 0) == text.size();
}
size_t end_without_blanks(std::string_view text) {
  return text.find_last_not_of(" \t\r\n") + 1;  // npos + 1 is 0
}

std::string random_call_id(bool is_short) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  thread_local std::mt19937_64 random{std::random_device{}()};
  std::string out = is_short ? "" : "call_";
  for (int i = is_short ? 9 : 24; i > 0; --i) out += kLetters[random() % kLetters.size()];
  return out;
}

// Does the prompt end with an opened section that nothing has been said in yet?
bool ends_with_open(std::string_view prompt, std::string_view mark) {
  const std::string_view end = prompt.substr(0, end_without_blanks(prompt));
  return !mark.empty() && end.ends_with(mark);
}

class SectionParser : public AnswerParser {
 public:
  SectionParser(const AnswerFormat& format, AnswerOptions options)
      : format_(format), tools_(std::move(options.tools)), builder_(std::move(options.new_call_id)) {
    for (const ReasoningMarks& r : format_.reasoning)
      if (ends_with_open(options.prompt, r.open)) enter_reasoning(r);
    if (!format_.calls) return;
    bare_tried_ = tools_.empty();
    for (const CallGrammar& grammar : format_.calls->grammars)
      if (!format_.calls->plain_name.empty() && ends_with_open(options.prompt, grammar.open))
        enter_call(grammar.open, "");
  }

  AnswerDelta push(std::string_view text) override {
    buffer_ += text;
    while (step(false)) {
    }
    return builder_.take();
  }

  AnswerDelta finish() override {
    while (step(true)) {
    }
    if (mode_ == Mode::reasoning)
      builder_.reasoning(held_);
    else if (!is_blank(held_) || has_content_ || !(just_called_ || drops_blanks_))
      flush_held();
    held_.clear();
    return builder_.take();
  }

  int n_calls() const override { return builder_.n_calls(); }

 private:
  enum class Mode { content, reasoning, call };
  // What a mark in the content means.
  enum class Meaning { reasoning_open, reasoning_close, call, wrapper_open, wrapper_close, ignored };
  struct Mark {
    Meaning meaning;
    int index = 0;
  };

  // One piece of work; false: more text is needed.
  bool step(bool at_end) {
    if (mode_ == Mode::call) return call(at_end);
    if (buffer_.empty()) return false;
    return mode_ == Mode::reasoning ? reasoning(at_end) : content(at_end);
  }

  // ---- reasoning
  void enter_reasoning(const ReasoningMarks& marks) {
    mode_ = Mode::reasoning;
    ends_ = {marks.close};
    if (format_.calls && format_.calls->ends_reasoning && !tools_.empty())
      for (const CallGrammar& grammar : format_.calls->grammars) ends_.push_back(grammar.open);
    if (format_.calls && format_.calls->ends_reasoning && !tools_.empty())
      for (size_t i = 0; i < format_.calls->wrappers.size(); i += 2) ends_.push_back(format_.calls->wrappers[i]);
    drops_blanks_ = true;
  }

  bool reasoning(bool at_end) {
    const Found found = find_mark(buffer_, ends_, at_end);
    say_reasoning(std::string_view(buffer_).substr(0, found.at));
    buffer_.erase(0, found.at + (found.mark == 0 ? ends_[0].size() : 0));
    if (found.mark < 0) return false;
    held_.clear();
    mode_ = Mode::content;
    drops_blanks_ = true;
    return true;
  }

  void say_reasoning(std::string_view text) {
    if (drops_blanks_) text.remove_prefix(skip_blanks(text, 0));
    const size_t end = end_without_blanks(text);
    if (end > 0) {
      drops_blanks_ = false;
      builder_.reasoning(std::exchange(held_, ""));
      builder_.reasoning(text.substr(0, end));
    }
    held_ += text.substr(end);
  }

  // ---- content
  bool content(bool at_end) {
    if (!bare_tried_ && !has_content_ && n_calls() == 0 && format_.calls) {
      const size_t at = skip_blanks(buffer_, 0);
      if (at == buffer_.size() && !at_end) return false;
      bare_tried_ = true;
      if (at < buffer_.size() && buffer_[at] == '{' && has_bare()) {
        say(std::string_view(buffer_).substr(0, at));
        buffer_.erase(0, at);
        enter_call("", "");
        return true;
      }
    }
    std::vector<std::string> marks;
    std::vector<Mark> meanings;
    list_marks(marks, meanings);
    const Found found = find_mark(buffer_, marks, at_end);
    say(std::string_view(buffer_).substr(0, found.at));
    buffer_.erase(0, found.at);
    if (found.mark < 0) return false;
    const std::string mark = marks[static_cast<size_t>(found.mark)];
    buffer_.erase(0, mark.size());
    on_mark(meanings[static_cast<size_t>(found.mark)], mark);
    return true;
  }

  bool has_bare() const {
    for (const CallGrammar& grammar : format_.calls->grammars)
      if (grammar.open.empty()) return true;
    return false;
  }

  void list_marks(std::vector<std::string>& marks, std::vector<Mark>& meanings) const {
    auto add = [&](const std::string& mark, Meaning meaning, size_t index = 0) {
      marks.push_back(mark);
      meanings.push_back({meaning, static_cast<int>(index)});
    };
    for (size_t i = 0; i < format_.reasoning.size(); ++i) {
      add(format_.reasoning[i].open, Meaning::reasoning_open, i);
      add(format_.reasoning[i].close, Meaning::reasoning_close);
    }
    if (!format_.calls) return;
    for (const std::string& mark : format_.calls->ignored) add(mark, Meaning::ignored);
    if (tools_.empty() && format_.calls->plain_name.empty()) return;
    for (const CallGrammar& grammar : format_.calls->grammars)
      if (!grammar.open.empty()) add(grammar.open, Meaning::call);
    for (size_t i = 0; i < format_.calls->wrappers.size(); ++i)
      add(format_.calls->wrappers[i], i % 2 == 0 ? Meaning::wrapper_open : Meaning::wrapper_close);
  }

  void on_mark(const Mark& mark, const std::string& text) {
    switch (mark.meaning) {
      case Meaning::reasoning_open:
        if (has_content_ || !is_blank(held_)) flush_held();
        held_.clear();
        enter_reasoning(format_.reasoning[static_cast<size_t>(mark.index)]);
        return;
      case Meaning::reasoning_close:  // opened by nobody: a mark before the content, text in it
        if (has_content_) return flush_held(text);
        held_.clear();
        drops_blanks_ = true;
        return;
      case Meaning::call:
        enter_call(text, text);
        return;
      case Meaning::wrapper_close:
        if (just_called_ && is_blank(held_))
          held_.clear();
        else
          held_ += text;
        return;
      case Meaning::wrapper_open:
        held_ += text;
        return;
      case Meaning::ignored:
        return;
    }
  }

  // Blanks wait, because a mark may follow.
  void say(std::string_view text) {
    const size_t end = end_without_blanks(text);
    if (end > 0) {
      flush_held(text.substr(0, end));
      text.remove_prefix(end);
    }
    held_ += text;
  }

  void flush_held(std::string_view text = {}) {
    std::string all = std::exchange(held_, "").append(text);
    if (drops_blanks_) all.erase(0, skip_blanks(all, 0));
    if (all.empty()) return;
    builder_.content(all);
    drops_blanks_ = just_called_ = false;
    has_content_ = true;
  }

  // ---- calls
  void enter_call(const std::string& open, const std::string& spelled) {
    mode_ = Mode::call;
    open_ = spelled;
    candidates_.clear();
    if (!tools_.empty())
      for (const CallGrammar& grammar : format_.calls->grammars)
        if (grammar.open == open) candidates_.push_back(grammar.style);
    at_plain_ = !format_.calls->plain_name.empty();
    calls_before_ = n_calls();
    reader_.reset();
  }

  bool call(bool at_end) {
    if (at_plain_) {
      const std::string plain = format_.calls->plain_name + "\n";
      const Match match = match_start(buffer_, plain, at_end);
      if (match == Match::maybe) return false;
      at_plain_ = false;
      if (match == Match::yes) {
        buffer_.erase(0, plain.size());
        mode_ = Mode::content;
        return true;
      }
    }
    if (candidates_.empty()) return leave_call(false);
    if (!reader_) reader_ = make_reader(candidates_.front(), tools_);
    std::string_view text = buffer_;
    ReadStatus status = reader_->read(text, at_end, builder_);
    if (status == ReadStatus::more && at_end) status = ReadStatus::failed;
    buffer_.erase(0, buffer_.size() - text.size());
    if (status == ReadStatus::more) return false;
    const bool has_begun = n_calls() > calls_before_;
    if (status == ReadStatus::failed && !has_begun && candidates_.size() > 1) {
      candidates_.erase(candidates_.begin());
      reader_.reset();
      return true;
    }
    return leave_call(has_begun);
  }

  bool leave_call(bool has_begun) {
    mode_ = Mode::content;
    if (has_begun) {
      held_.clear();
      just_called_ = true;
    } else if (!open_.empty()) {
      flush_held(open_);
    }
    return true;
  }

  const AnswerFormat format_;
  const Tools tools_;
  AnswerBuilder builder_;
  std::string buffer_;  // not understood yet
  std::string held_;    // blanks and wrappers that may belong to what follows
  Mode mode_ = Mode::content;
  std::vector<std::string> ends_;  // of the reasoning
  bool drops_blanks_ = false, just_called_ = false, has_content_ = false, bare_tried_ = true, at_plain_ = false;
  std::string open_;  // how the call's mark was spelled in the answer
  std::vector<CallStyle> candidates_;
  std::unique_ptr<CallReader> reader_;
  int calls_before_ = 0;
};

}  // namespace

std::unique_ptr<AnswerParser> make_answer_parser(const AnswerFormat& format, AnswerOptions options) {
  if (!options.new_call_id)
    options.new_call_id = [is_short = format.short_call_ids] { return random_call_id(is_short); };
  if (format.channels) return make_channel_parser(std::move(options));
  return std::make_unique<SectionParser>(format, std::move(options));
}

}  // namespace hearth::answers
