// One style of writing tool calls, as an incremental grammar. A style is configured by the format table; it knows no
// model family.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "inference/answers/answer.h"

namespace hearth::answers {

// Where a reader tells what it found.
class CallSink {
 public:
  virtual ~CallSink() = default;
  // A call begins; `id` may be empty: one is made.
  virtual void begin(std::string_view id, std::string_view name) = 0;
  virtual void arguments(std::string_view piece) = 0;
};

enum class ReadStatus { more, done, failed };

// Reads what follows an opening mark. Text that was used for good is cut from the front of `text`; the rest is shown
// again, longer. Failed: what is left is no call (perhaps only from here on) and belongs to the content. What is
// decided must follow from the text alone, never from how it was cut; so a reader that must see much before it can
// decide fails beyond kMaxUndecided.
inline constexpr size_t kMaxUndecided = 64 << 10;
class CallReader {
 public:
  virtual ~CallReader() = default;
  virtual ReadStatus read(std::string_view& text, bool at_end, CallSink& sink) = 0;
};

// {"name": "f", "arguments": {...}}, alone, in an array, or several after each other.
struct JsonCalls {
  std::string close;        // mark behind, perhaps missing
  bool array = true;        // [..] may stand around
  char separator = '\0';    // between calls without an array
  bool known_only = false;  // only the tools of the request: for formats without an opening mark
};
// A name in a header, then its arguments as JSON: name[ARGS]{...}
struct HeaderField {
  enum class Kind { name, id, id_and_name, word };  // id_and_name: functions.f:0
  Kind kind;
  std::string end;   // what stands behind the field
  std::string word;  // for Kind::word: the field's text
};
struct NamedJsonCalls {
  std::vector<HeaderField> header;
  std::vector<std::string> closes;  // marks behind, each perhaps missing
};
// <function=f><parameter=a>1</parameter></function>: arguments without quotes, typed by the tool's schema.
struct TaggedCalls {
  std::string name_end;            // behind the name
  bool name_may_end_bare = false;  // the name also ends where the first parameter or the close begins
  std::string parameter_open, parameter_name_end, between, parameter_close;  // <k>, </k>, <v>, </v>
  bool skips_attributes = false;                                             // after parameter_name_end, up to ">"
  bool trims_newlines = false;  // one newline on each side of a value belongs to the format
  std::string close;
};
// [f(a="b", c=1)], or f.call(a="b") alone.
struct PythonicCalls {
  std::string close;
  bool list = true;
};
using CallStyle = std::variant<JsonCalls, NamedJsonCalls, TaggedCalls, PythonicCalls>;

std::unique_ptr<CallReader> make_json_calls(const JsonCalls& style, const Tools& tools);
std::unique_ptr<CallReader> make_named_json_calls(const NamedJsonCalls& style);
std::unique_ptr<CallReader> make_tagged_calls(const TaggedCalls& style, const Tools& tools);
std::unique_ptr<CallReader> make_pythonic_calls(const PythonicCalls& style);
std::unique_ptr<CallReader> make_reader(const CallStyle& style, const Tools& tools);

}  // namespace hearth::answers
