// Calls written as JSON objects: {"name": "f", "arguments": {...}}. The arguments stream once the name is known.
#include <optional>

#include "inference/answers/call_reader.h"
#include "inference/answers/json_scanner.h"
#include "inference/answers/markers.h"

namespace hearth::answers {
namespace {

bool is_one_of(std::string_view key, std::initializer_list<std::string_view> names) {
  for (std::string_view name : names)
    if (key == name) return true;
  return false;
}

std::string decoded(std::string_view json_string) {
  const Json value = Json::parse(json_string, nullptr, false);
  return value.is_string() ? value.get<std::string>() : std::string();
}

// What is known of an object before its arguments can stream.
struct Head {
  JsonScanner::Status status = JsonScanner::Status::more;
  std::string id, name, arguments;
  size_t end = 0;        // of what was read
  bool streams = false;  // the arguments begin at `end`; else the object is over and they are whole
};

// Reads the members of an object that begins at `at`, until its arguments can stream or it is over.
class HeadReader {
 public:
  HeadReader(std::string_view text, size_t at) : text_(text), at_(at) {}

  Head read() {
    ++at_;  // the brace
    bool is_first = true;
    for (;;) {
      at_ = skip_blanks(text_, at_);
      if (at_ >= text_.size()) return with(JsonScanner::Status::more);
      if (text_[at_] == '}') return is_over();
      if (!is_first) {
        if (text_[at_] != ',') return with(JsonScanner::Status::failed);
        at_ = skip_blanks(text_, at_ + 1);
      }
      is_first = false;
      if (auto stopped = member()) return *stopped;
    }
  }

 private:
  Head with(JsonScanner::Status status) {
    head_.status = status;
    return head_;
  }
  Head is_over() {
    head_.end = at_ + 1;
    if (head_.arguments.empty()) head_.arguments = "{}";
    return with(is_tool_name(head_.name) ? JsonScanner::Status::done : JsonScanner::Status::failed);
  }

  // "key": value. Gives a head when reading stops here.
  std::optional<Head> member() {
    if (at_ < text_.size() && text_[at_] != '"') return with(JsonScanner::Status::failed);
    const JsonSpan key_span = scan_json(text_, at_);
    if (key_span.status != JsonScanner::Status::done) return with(key_span.status);
    const std::string key = decoded(text_.substr(at_, key_span.end - at_));
    if (!is_one_of(key, {"name", "tool_name", "function", "arguments", "parameters", "id", "tool_call_id", "type"}))
      return with(JsonScanner::Status::failed);
    at_ = skip_blanks(text_, key_span.end);
    if (at_ >= text_.size()) return with(JsonScanner::Status::more);
    if (text_[at_] != ':') return with(JsonScanner::Status::failed);
    at_ = skip_blanks(text_, at_ + 1);
    if (at_ >= text_.size()) return with(JsonScanner::Status::more);
    if (is_one_of(key, {"arguments", "parameters"}) && is_tool_name(head_.name) && text_[at_] == '{') {
      head_.streams = true;
      head_.end = at_;
      return with(JsonScanner::Status::done);
    }
    const JsonSpan span = scan_json(text_, at_);
    if (span.status != JsonScanner::Status::done) return with(span.status);
    keep(key, text_.substr(at_, span.end - at_));
    at_ = span.end;
    return std::nullopt;
  }

  void keep(const std::string& key, std::string_view value) {
    const bool is_string = value.starts_with('"');
    if (is_one_of(key, {"name", "tool_name", "function"}))
      head_.name = decoded(value);
    else if (is_one_of(key, {"id", "tool_call_id"}))
      head_.id = is_string ? decoded(value) : std::string(value);
    else if (is_one_of(key, {"arguments", "parameters"}))
      head_.arguments = is_string ? decoded(value) : value == "null" ? "{}" : std::string(value);
  }

  std::string_view text_;
  size_t at_;
  Head head_;
};

// The members that may follow streamed arguments, and the brace.
JsonSpan rest_of_object(std::string_view text) {
  for (size_t at = 0;;) {
    at = skip_blanks(text, at);
    if (at >= text.size()) return {JsonScanner::Status::more, at};
    if (text[at] == '}') return {JsonScanner::Status::done, at + 1};
    if (text[at] != ',') return {JsonScanner::Status::failed, at};
    at = skip_blanks(text, at + 1);
    if (at < text.size() && text[at] != '"') return {JsonScanner::Status::failed, at};
    const JsonSpan key = scan_json(text, at);
    if (key.status != JsonScanner::Status::done) return key;
    at = skip_blanks(text, key.end);
    if (at >= text.size()) return {JsonScanner::Status::more, at};
    if (text[at] != ':') return {JsonScanner::Status::failed, at};
    const JsonSpan value = scan_json(text, at + 1);
    if (value.status != JsonScanner::Status::done) return value;
    at = value.end;
  }
}

class JsonReader : public CallReader {
 public:
  JsonReader(JsonCalls style, Tools tools) : style_(std::move(style)), tools_(std::move(tools)) {}

  ReadStatus read(std::string_view& text, bool at_end, CallSink& sink) override {
    for (;;) {
      ReadStatus status = ReadStatus::done;
      switch (state_) {
        case State::before:
          status = before(text, sink);
          break;
        case State::arguments:
          status = stream(text, sink);
          break;
        case State::rest:
          status = rest(text);
          break;
        case State::after:
          status = after(text, at_end);
          if (state_ == State::after) return status;
          break;
      }
      if (status != ReadStatus::done) return status == ReadStatus::more && at_end ? ReadStatus::failed : status;
    }
  }

 private:
  enum class State { before, arguments, rest, after };

  // Up to the arguments of the next call. "[" and "," belong to what is undecided until then.
  ReadStatus before(std::string_view& text, CallSink& sink) {
    const std::string_view seen = text.substr(0, kMaxUndecided);
    size_t at = skip_blanks(seen, 0);
    bool opens = false;
    if (style_.array && !in_array_ && n_calls_ == 0 && at < seen.size() && seen[at] == '[') {
      opens = true;
      at = skip_blanks(seen, at + 1);
    } else if (in_array_ && n_calls_ > 0 && at < seen.size()) {
      if (seen[at] != ',') return ReadStatus::failed;
      at = skip_blanks(seen, at + 1);
    } else if (n_calls_ > 0 && style_.separator && at < seen.size() && seen[at] == style_.separator) {
      at = skip_blanks(seen, at + 1);
    }
    if (at >= seen.size()) return seen.size() < kMaxUndecided ? ReadStatus::more : ReadStatus::failed;
    if (seen[at] != '{') return ReadStatus::failed;
    Head head = HeadReader(seen, at).read();
    if (head.status == JsonScanner::Status::failed) return ReadStatus::failed;
    if (head.status == JsonScanner::Status::more)
      return seen.size() < kMaxUndecided ? ReadStatus::more : ReadStatus::failed;
    if (style_.known_only && !tools_.has(head.name)) return ReadStatus::failed;
    in_array_ |= opens;
    sink.begin(head.id, head.name);
    text.remove_prefix(head.end);
    scanner_ = JsonScanner();
    state_ = head.streams ? State::arguments : State::after;
    if (!head.streams) {
      sink.arguments(head.arguments);
      ++n_calls_;
    }
    return ReadStatus::done;
  }

  ReadStatus stream(std::string_view& text, CallSink& sink) {
    const size_t n = scanner_.feed(text);
    if (n > 0) sink.arguments(text.substr(0, n));
    text.remove_prefix(n);
    if (scanner_.status() == JsonScanner::Status::failed) return ReadStatus::failed;
    if (scanner_.status() == JsonScanner::Status::more) return ReadStatus::more;
    state_ = State::rest;
    return ReadStatus::done;
  }

  ReadStatus rest(std::string_view& text) {
    const JsonSpan span = rest_of_object(text.substr(0, kMaxUndecided));
    if (span.status == JsonScanner::Status::failed) return ReadStatus::failed;
    if (span.status == JsonScanner::Status::more)
      return text.size() < kMaxUndecided ? ReadStatus::more : ReadStatus::failed;
    text.remove_prefix(span.end);
    ++n_calls_;
    state_ = State::after;
    return ReadStatus::done;
  }

  // Between calls: another one, the end of the array, the closing mark. Each may be missing.
  ReadStatus after(std::string_view& text, bool at_end) {
    for (;;) {
      const size_t at = skip_blanks(text, 0);
      if (at >= text.size()) {
        if (!at_end) return ReadStatus::more;
        text.remove_prefix(at);
        return ReadStatus::done;
      }
      const char c = text[at];
      if (in_array_ && c == ']') {
        in_array_ = false;
        was_array_ = true;
        text.remove_prefix(at + 1);
        continue;
      }
      const bool next_item = in_array_ && c == ',';
      const bool next_call = !in_array_ && !was_array_ && (c == '{' || (style_.separator && c == style_.separator));
      if (next_item || next_call) {
        state_ = State::before;
        return ReadStatus::done;
      }
      const Match match = style_.close.empty() ? Match::no : match_start(text.substr(at), style_.close, at_end);
      if (match == Match::maybe) return ReadStatus::more;
      if (match == Match::yes) text.remove_prefix(at + style_.close.size());
      return ReadStatus::done;
    }
  }

  JsonCalls style_;
  Tools tools_;
  State state_ = State::before;
  bool in_array_ = false, was_array_ = false;
  int n_calls_ = 0;
  JsonScanner scanner_;
};

}  // namespace

std::unique_ptr<CallReader> make_json_calls(const JsonCalls& style, const Tools& tools) {
  return std::make_unique<JsonReader>(style, tools);
}

}  // namespace hearth::answers
