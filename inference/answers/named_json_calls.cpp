// Calls with the name in a header and the arguments as JSON behind it: f[ARGS]{...}
#include "inference/answers/call_reader.h"
#include "inference/answers/json_scanner.h"
#include "inference/answers/markers.h"

namespace hearth::answers {
namespace {

class NamedJsonReader : public CallReader {
 public:
  explicit NamedJsonReader(NamedJsonCalls style) : style_(std::move(style)) {}

  ReadStatus read(std::string_view& text, bool at_end, CallSink& sink) override {
    if (!has_begun_) {
      const ReadStatus status = header(text, sink);
      if (status != ReadStatus::done) return status == ReadStatus::more && at_end ? ReadStatus::failed : status;
    }
    if (scanner_.status() == JsonScanner::Status::more) {
      const size_t n = scanner_.feed(text);
      if (n > 0) sink.arguments(text.substr(0, n));
      text.remove_prefix(n);
    }
    if (scanner_.status() == JsonScanner::Status::failed) return ReadStatus::failed;
    if (scanner_.status() == JsonScanner::Status::more) return at_end ? ReadStatus::failed : ReadStatus::more;
    return closes(text, at_end);
  }

 private:
  // The fields and the brace of the arguments, which must be an object.
  ReadStatus header(std::string_view& text, CallSink& sink) {
    const std::string_view seen = text.substr(0, kMaxUndecided);
    std::string id, name;
    size_t at = skip_blanks(seen, 0);
    for (const HeaderField& field : style_.header) {
      const size_t begin = at;
      while (at < seen.size() && is_tool_name_character(seen[at])) ++at;
      if (at >= seen.size()) return ReadStatus::more;
      const Match match = match_start(seen.substr(at), field.end, false);
      if (match == Match::maybe) return ReadStatus::more;
      const std::string_view value = seen.substr(begin, at - begin);
      if (match == Match::no || !keep(field, value, id, name)) return ReadStatus::failed;
      at += field.end.size();
    }
    at = skip_blanks(seen, at);
    if (at >= seen.size()) return seen.size() < kMaxUndecided ? ReadStatus::more : ReadStatus::failed;
    if (seen[at] != '{' || !is_tool_name(name)) return ReadStatus::failed;
    sink.begin(id, name);
    text.remove_prefix(at);
    has_begun_ = true;
    return ReadStatus::done;
  }

  static bool keep(const HeaderField& field, std::string_view value, std::string& id, std::string& name) {
    switch (field.kind) {
      case HeaderField::Kind::word:
        return value == field.word;
      case HeaderField::Kind::id:
        id = value;
        return true;
      case HeaderField::Kind::name:
        name = value;
        return true;
      case HeaderField::Kind::id_and_name:
        id = value;
        name = value.substr(0, value.rfind(':'));
        if (name.starts_with("functions.")) name.erase(0, 10);
        return true;
    }
    return false;
  }

  // The marks behind, with blanks between; each may be missing.
  ReadStatus closes(std::string_view& text, bool at_end) {
    while (n_closed_ < style_.closes.size()) {
      const size_t at = skip_blanks(text, 0);
      const Match match = match_start(text.substr(at), style_.closes[n_closed_], at_end);
      if (match == Match::maybe) return ReadStatus::more;
      if (match == Match::yes) text.remove_prefix(at + style_.closes[n_closed_].size());
      ++n_closed_;
    }
    return ReadStatus::done;
  }

  NamedJsonCalls style_;
  bool has_begun_ = false;
  JsonScanner scanner_;
  size_t n_closed_ = 0;
};

}  // namespace

std::unique_ptr<CallReader> make_named_json_calls(const NamedJsonCalls& style) {
  return std::make_unique<NamedJsonReader>(style);
}

std::unique_ptr<CallReader> make_reader(const CallStyle& style, const Tools& tools) {
  if (auto* json = std::get_if<JsonCalls>(&style)) return make_json_calls(*json, tools);
  if (auto* named = std::get_if<NamedJsonCalls>(&style)) return make_named_json_calls(*named);
  if (auto* tagged = std::get_if<TaggedCalls>(&style)) return make_tagged_calls(*tagged, tools);
  return make_pythonic_calls(std::get<PythonicCalls>(style));
}

}  // namespace hearth::answers
