// An answer is a row of messages: <|start|>HEADER<|message|>BODY<|end|>, where the header names a channel and perhaps a
// recipient. The prompt has written the first <|start|>assistant.
#include "inference/answers/channel_parser.h"

#include "inference/answers/answer_builder.h"
#include "inference/answers/json_scanner.h"
#include "inference/answers/markers.h"

namespace hearth::answers {
namespace {

constexpr size_t kMaxHeader = 512;

// The word that follows `key` in a header.
std::string_view word_after(std::string_view header, std::string_view key) {
  const size_t at = header.find(key);
  if (at == std::string_view::npos) return {};
  header.remove_prefix(at + key.size());
  size_t n = 0;
  while (n < header.size() && is_tool_name_character(header[n])) ++n;
  return header.substr(0, n);
}

class ChannelParser : public AnswerParser {
 public:
  explicit ChannelParser(AnswerOptions options)
      : tools_(std::move(options.tools)), builder_(std::move(options.new_call_id)) {}

  AnswerDelta push(std::string_view text) override {
    buffer_ += text;
    while (step(false)) {
    }
    return builder_.take();
  }
  AnswerDelta finish() override {
    while (step(true)) {
    }
    end_body();
    return builder_.take();
  }
  int n_calls() const override { return builder_.n_calls(); }

 private:
  enum class Where { header, body, between };
  enum class Kind { content, reasoning, call };

  bool step(bool at_end) {
    if (buffer_.empty()) return false;
    switch (where_) {
      case Where::header:
        return header(at_end);
      case Where::body:
        return body(at_end);
      default:
        return between(at_end);
    }
  }

  // A header that is none, or too long, is text.
  bool header(bool at_end) {
    static const std::vector<std::string> ends = {"<|message|>", "<|end|>", "<|return|>", "<|call|>"};
    const std::string_view seen = std::string_view(buffer_).substr(0, kMaxHeader);
    const bool is_whole = at_end || buffer_.size() >= kMaxHeader;
    const Found found = find_mark(seen, ends, is_whole);
    if (found.mark < 0 && !is_whole && may_be_header(seen)) return false;
    if (found.mark == 0 && may_be_header(seen)) {
      begin_body(seen.substr(0, found.at));
      buffer_.erase(0, found.at + ends[0].size());
    } else {
      begin(Kind::content);
      say_mark();
    }
    where_ = Where::body;
    return true;
  }

  // A mark that opens no header is text, or the body would take it for the next header.
  void say_mark() {
    const size_t at = skip_blanks(buffer_, 0);
    for (std::string_view mark : {"<|channel|>", "<|start|>"})
      if (std::string_view(buffer_).substr(at).starts_with(mark)) {
        say(std::string_view(buffer_).substr(0, at + mark.size()));
        buffer_.erase(0, at + mark.size());
        return;
      }
  }

  // [role] [to=...] <|channel|> ...: anything else at the answer's beginning is plain text.
  static bool may_be_header(std::string_view text) {
    text.remove_prefix(skip_blanks(text, 0));
    for (std::string_view start : {"<|channel|>", "to=", "assistant", "<|start|>", "<|message|>"})
      if (match_start(text, start, false) != Match::no) return true;
    return false;
  }

  void begin_body(std::string_view header) {
    std::string_view recipient = word_after(header, "to=");
    const std::string_view channel = word_after(header, "<|channel|>");
    const bool is_call = !recipient.empty() && recipient != "assistant" && recipient != "user" && recipient != "all";
    if (is_call && !tools_.empty()) {
      if (recipient.starts_with("functions.")) recipient.remove_prefix(10);
      kind_ = Kind::call;
      is_empty_ = true;
      builder_.begin("", recipient);
      return;
    }
    begin(channel == "analysis" ? Kind::reasoning : Kind::content);
  }

  // Messages of a kind are joined with a blank line between.
  void begin(Kind kind) {
    kind_ = kind;
    bool& said = kind == Kind::reasoning ? has_reasoning_ : has_content_;
    needs_break_ = said;
  }

  bool body(bool at_end) {
    static const std::vector<std::string> ends = {"<|end|>", "<|return|>", "<|call|>", "<|start|>", "<|channel|>"};
    const Found found = find_mark(buffer_, ends, at_end);
    say(std::string_view(buffer_).substr(0, found.at));
    buffer_.erase(0, found.at);
    if (found.mark < 0) return false;
    end_body();
    if (found.mark != 4) buffer_.erase(0, ends[static_cast<size_t>(found.mark)].size());
    where_ = found.mark >= 3 ? Where::header : Where::between;
    return true;
  }

  void say(std::string_view text) {
    if (text.empty()) return;
    is_empty_ = false;
    if (kind_ == Kind::call) return builder_.arguments(text);
    const std::string piece = (needs_break_ ? "\n\n" : "") + std::string(text);
    needs_break_ = false;
    if (kind_ == Kind::reasoning) {
      has_reasoning_ = true;
      builder_.reasoning(piece);
    } else {
      has_content_ = true;
      builder_.content(piece);
    }
  }

  void end_body() {
    if (kind_ == Kind::call && is_empty_) builder_.arguments("{}");
    kind_ = Kind::content;
    is_empty_ = false;
  }

  bool between(bool at_end) {
    const size_t at = skip_blanks(buffer_, 0);
    if (at == buffer_.size()) {
      if (at_end) buffer_.clear();
      return false;
    }
    const Match match = match_start(std::string_view(buffer_).substr(at), "<|start|>", at_end);
    if (match == Match::maybe) return false;
    if (match == Match::yes) {
      buffer_.erase(0, at + 9);
      where_ = Where::header;
    } else {
      begin(Kind::content);
      where_ = Where::body;
    }
    return true;
  }

  const Tools tools_;
  AnswerBuilder builder_;
  std::string buffer_;
  Where where_ = Where::header;
  Kind kind_ = Kind::content;
  bool is_empty_ = false, needs_break_ = false, has_content_ = false, has_reasoning_ = false;
};

}  // namespace

std::unique_ptr<AnswerParser> make_channel_parser(AnswerOptions options) {
  return std::make_unique<ChannelParser>(std::move(options));
}

}  // namespace hearth::answers
