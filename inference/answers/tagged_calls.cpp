// Calls as tags, one for each argument, values without quotes: the tool's schema says what is a string. A string
// streams; any other value is shown when it is whole.
#include "inference/answers/call_reader.h"
#include "inference/answers/json_scanner.h"
#include "inference/answers/markers.h"

namespace hearth::answers {
namespace {

// The inside of a JSON string; `text` holds whole characters or is cut in the middle of one, which JSON does not mind.
std::string json_escaped(std::string_view text) {
  std::string out;
  constexpr std::string_view kHex = "0123456789abcdef";
  for (char c : text) {
    if (c == '"' || c == '\\')
      out.append({'\\', c});
    else if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else if (c == '\t')
      out += "\\t";
    else if (static_cast<unsigned char>(c) < 0x20)
      out.append("\\u00").append({kHex[static_cast<unsigned char>(c) >> 4], kHex[c & 15]});
    else
      out += c;
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::string_view(" \t\r\n").find(text.front()) != std::string_view::npos)
    text.remove_prefix(1);
  while (!text.empty() && std::string_view(" \t\r\n").find(text.back()) != std::string_view::npos)
    text.remove_suffix(1);
  return text;
}

class TaggedReader : public CallReader {
 public:
  TaggedReader(TaggedCalls style, Tools tools) : style_(std::move(style)), tools_(std::move(tools)) {}

  ReadStatus read(std::string_view& text, bool at_end, CallSink& sink) override {
    for (;;) {
      ReadStatus status = ReadStatus::failed;
      if (state_ == State::name)
        status = name(text, sink);
      else if (state_ == State::between)
        status = between(text, at_end, sink);
      else if (state_ == State::streaming)
        status = stream(text, sink);
      else
        status = whole_value(text, sink);
      if (state_ == State::closed) return ReadStatus::done;
      if (status != ReadStatus::done) return status == ReadStatus::more && at_end ? ReadStatus::failed : status;
    }
  }

 private:
  enum class State { name, between, streaming, whole, closed };

  ReadStatus name(std::string_view& text, CallSink& sink) {
    const size_t begin = skip_blanks(text, 0);
    size_t at = begin;
    while (at < text.size() && is_tool_name_character(text[at]) && at - begin <= 128) ++at;
    if (at >= text.size()) return ReadStatus::more;
    const std::string_view found = text.substr(begin, at - begin);
    if (!is_tool_name(found)) return ReadStatus::failed;
    Match match = match_start(text.substr(at), style_.name_end, false);
    size_t n_end = style_.name_end.size();
    if (match != Match::yes && style_.name_may_end_bare) {
      const size_t next = skip_blanks(text, at);
      if (next >= text.size()) return ReadStatus::more;
      for (const std::string& mark : {style_.parameter_open, style_.close}) {
        const Match here = match_start(text.substr(next), mark, false);
        if (here == Match::maybe) match = Match::maybe;
        if (here == Match::yes) match = Match::yes, n_end = 0;
        if (here != Match::no) break;
      }
    }
    if (match == Match::maybe) return ReadStatus::more;
    if (match == Match::no) return ReadStatus::failed;
    tool_ = found;
    text.remove_prefix(at + n_end);
    sink.begin("", tool_);
    sink.arguments("{");
    state_ = State::between;
    return ReadStatus::done;
  }

  // The next parameter's opening, or the end of the call.
  ReadStatus between(std::string_view& text, bool at_end, CallSink& sink) {
    const std::string_view seen = text.substr(0, kMaxUndecided);
    size_t at = skip_blanks(seen, 0);
    if (at >= seen.size()) return seen.size() < kMaxUndecided ? ReadStatus::more : ReadStatus::failed;
    const Match closes = match_start(seen.substr(at), style_.close, at_end);
    if (closes == Match::yes) {
      sink.arguments("}");
      text.remove_prefix(at + style_.close.size());
      state_ = State::closed;
      return ReadStatus::done;
    }
    const Match opens = match_start(seen.substr(at), style_.parameter_open, at_end);
    if (opens == Match::no) return closes == Match::maybe ? ReadStatus::more : ReadStatus::failed;
    const size_t begin = at + style_.parameter_open.size();
    const size_t end = opens == Match::yes ? seen.find(style_.parameter_name_end, begin) : std::string_view::npos;
    if (end == std::string_view::npos) return undecided(seen);
    at = end + style_.parameter_name_end.size();
    std::string_view attributes;
    if (style_.skips_attributes) {
      const size_t close = seen.find('>', at);
      if (close == std::string_view::npos) return undecided(seen);
      attributes = seen.substr(at, close - at);
      at = close + 1;
    }
    if (!style_.between.empty()) {
      at = skip_blanks(seen, at);
      const Match match = match_start(seen.substr(at), style_.between, at_end);
      if (match == Match::maybe) return undecided(seen);
      if (match == Match::no) return ReadStatus::failed;
      at += style_.between.size();
    }
    parameter(trimmed(seen.substr(begin, end - begin)), attributes, sink);
    text.remove_prefix(at);
    return ReadStatus::done;
  }

  static ReadStatus undecided(std::string_view seen) {
    return seen.size() < kMaxUndecided ? ReadStatus::more : ReadStatus::failed;
  }

  void parameter(std::string_view name, std::string_view attributes, CallSink& sink) {
    parameter_ = name;
    close_ = style_.parameter_close;
    if (const size_t at = close_.find("NAME"); at != std::string::npos) close_.replace(at, 4, parameter_);
    std::string key = n_parameters_++ > 0 ? ", \"" : "\"";
    sink.arguments(key.append(json_escaped(name)).append("\": "));
    is_first_piece_ = true;
    const bool says_string = attributes.find("string=\"true\"") != std::string_view::npos;
    if (says_string || tools_.is_string(tool_, parameter_)) {
      sink.arguments("\"");
      state_ = State::streaming;
    } else {
      state_ = State::whole;
    }
  }

  // A string: all but what could be the end of it.
  ReadStatus stream(std::string_view& text, CallSink& sink) {
    if (is_first_piece_ && style_.trims_newlines) {
      if (text.empty()) return ReadStatus::more;
      if (text[0] == '\n') text.remove_prefix(1);
    }
    is_first_piece_ = false;
    const std::string end = style_.trims_newlines ? "\n" + close_ : close_;
    const Found found = find_mark(text, {close_, end}, false);
    sink.arguments(json_escaped(text.substr(0, found.at)));
    text.remove_prefix(found.at);
    if (found.mark < 0) return ReadStatus::more;
    text.remove_prefix(found.mark == 0 ? close_.size() : end.size());
    sink.arguments("\"");
    state_ = State::between;
    return ReadStatus::done;
  }

  // Anything else: JSON as it stands when it is valid, else a string.
  ReadStatus whole_value(std::string_view& text, CallSink& sink) {
    const size_t end = text.find(close_);
    if (end == std::string_view::npos) return ReadStatus::more;
    std::string_view value = text.substr(0, end);
    const std::string_view bare = trimmed(value);
    const JsonSpan span = scan_json(bare, 0, true);
    const bool is_json = span.status == JsonScanner::Status::done && span.end == bare.size();
    if (is_json) {
      sink.arguments(bare);
    } else {
      if (style_.trims_newlines && value.starts_with('\n')) value.remove_prefix(1);
      if (style_.trims_newlines && value.ends_with('\n')) value.remove_suffix(1);
      sink.arguments("\"" + json_escaped(value) + "\"");
    }
    text.remove_prefix(end + close_.size());
    state_ = State::between;
    return ReadStatus::done;
  }

  TaggedCalls style_;
  Tools tools_;
  State state_ = State::name;
  std::string tool_, parameter_, close_;
  int n_parameters_ = 0;
  bool is_first_piece_ = true;
};

}  // namespace

std::unique_ptr<CallReader> make_tagged_calls(const TaggedCalls& style, const Tools& tools) {
  return std::make_unique<TaggedReader>(style, tools);
}

}  // namespace hearth::answers
