// Calls written as Python: [f(a="b", c=[1, None])], or tool.call(a="b") alone. Shown when they are whole.
#include <optional>

#include "inference/answers/call_reader.h"
#include "inference/answers/json_scanner.h"
#include "inference/answers/markers.h"

namespace hearth::answers {
namespace {

constexpr int kMaxNesting = 64;

struct Call {
  std::string name;
  nlohmann::ordered_json arguments = nlohmann::ordered_json::object();
};

// Python's literals and calls with keywords. A failure at the end of the text may be healed by more of it.
class PythonReader {
 public:
  explicit PythonReader(std::string_view text) : text_(text) {}

  bool needs_more() const { return needs_more_; }
  size_t at() const { return at_; }

  std::optional<std::vector<Call>> list() {
    std::vector<Call> out;
    if (!take('[')) return std::nullopt;
    while (!take(']')) {
      auto one = call();
      if (!one) return std::nullopt;
      out.push_back(std::move(*one));
      if (!take(',') && !peek(']')) return std::nullopt;
    }
    if (out.empty()) return std::nullopt;
    return out;
  }

  std::optional<Call> call() {
    Call out;
    out.name = word();
    if (!is_tool_name(out.name) || !take('(')) return std::nullopt;
    while (!take(')')) {
      const std::string key = word();
      if (key.empty() || !take('=')) return std::nullopt;
      auto given = value(0);
      if (!given) return std::nullopt;
      out.arguments[key] = std::move(*given);
      if (!take(',') && !peek(')')) return std::nullopt;
    }
    return out;
  }

 private:
  using Value = nlohmann::ordered_json;

  void skip() {
    at_ = skip_blanks(text_, at_);
    needs_more_ |= at_ >= text_.size();
  }
  bool peek(char c) {
    skip();
    return at_ < text_.size() && text_[at_] == c;
  }
  bool take(char c) {
    const bool found = peek(c);
    at_ += found;
    return found;
  }
  std::string word() {
    skip();
    const size_t begin = at_;
    while (at_ < text_.size() && is_tool_name_character(text_[at_])) ++at_;
    needs_more_ |= at_ >= text_.size();
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::optional<Value> value(int depth) {
    if (depth > kMaxNesting) return std::nullopt;
    if (peek('"') || peek('\'')) return string();
    if (take('[')) return items(depth);
    if (take('{')) return members(depth);
    return scalar();
  }

  std::optional<Value> items(int depth) {
    Value out = Value::array();
    while (!take(']')) {
      auto one = value(depth + 1);
      if (!one) return std::nullopt;
      out.push_back(std::move(*one));
      if (!take(',') && !peek(']')) return std::nullopt;
    }
    return out;
  }

  std::optional<Value> members(int depth) {
    Value out = Value::object();
    while (!take('}')) {
      if (!peek('"') && !peek('\'')) return std::nullopt;
      auto key = string();
      if (!key || !take(':')) return std::nullopt;
      auto one = value(depth + 1);
      if (!one) return std::nullopt;
      out[key->get<std::string>()] = std::move(*one);
      if (!take(',') && !peek('}')) return std::nullopt;
    }
    return out;
  }

  std::optional<Value> string() {
    const char quote = text_[at_++];
    std::string out;
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] != '\\') {
        out += text_[at_];
        continue;
      }
      if (++at_ >= text_.size()) break;
      constexpr std::string_view kLetters = "nrt0", kMeanings("\n\r\t\0", 4);
      const size_t i = kLetters.find(text_[at_]);
      if (i != std::string_view::npos)
        out += kMeanings[i];
      else if (std::string_view("\\'\"").find(text_[at_]) != std::string_view::npos)
        out += text_[at_];
      else
        out.append({'\\', text_[at_]});
    }
    needs_more_ |= at_ >= text_.size();
    if (at_ >= text_.size()) return std::nullopt;
    ++at_;
    return Value(out);
  }

  std::optional<Value> scalar() {
    const size_t begin = at_;
    while (at_ < text_.size() && (is_tool_name_character(text_[at_]) || text_[at_] == '+')) ++at_;
    needs_more_ |= at_ >= text_.size();
    const std::string_view found = text_.substr(begin, at_ - begin);
    if (found == "True" || found == "true") return Value(true);
    if (found == "False" || found == "false") return Value(false);
    if (found == "None" || found == "null") return Value(nullptr);
    Value number = Value::parse(found, nullptr, false);
    if (!number.is_number()) return std::nullopt;
    return number;
  }

  std::string_view text_;
  size_t at_ = 0;
  bool needs_more_ = false;
};

class PythonicReader : public CallReader {
 public:
  explicit PythonicReader(PythonicCalls style) : style_(std::move(style)) {}

  ReadStatus read(std::string_view& text, bool at_end, CallSink& sink) override {
    if (!has_calls_) {
      PythonReader python(text.substr(0, kMaxUndecided));
      std::optional<std::vector<Call>> calls;
      if (style_.list) {
        calls = python.list();
      } else if (auto one = python.call()) {
        calls.emplace().push_back(std::move(*one));
        // f.call(...) is how some models spell f(...).
        if (calls->front().name.ends_with(".call")) calls->front().name.resize(calls->front().name.size() - 5);
      }
      if (!calls) {
        const bool may_come = python.needs_more() && !at_end && text.size() < kMaxUndecided;
        return may_come ? ReadStatus::more : ReadStatus::failed;
      }
      for (const Call& call : *calls) {
        sink.begin("", call.name);
        sink.arguments(call.arguments.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
      }
      text.remove_prefix(python.at());
      has_calls_ = true;
    }
    const size_t at = skip_blanks(text, 0);
    const Match match = style_.close.empty() ? Match::no : match_start(text.substr(at), style_.close, at_end);
    if (match == Match::maybe) return ReadStatus::more;
    if (match == Match::yes) text.remove_prefix(at + style_.close.size());
    return ReadStatus::done;
  }

 private:
  PythonicCalls style_;
  bool has_calls_ = false;
};

}  // namespace

std::unique_ptr<CallReader> make_pythonic_calls(const PythonicCalls& style) {
  return std::make_unique<PythonicReader>(style);
}

}  // namespace hearth::answers
