// How a model writes reasoning and tool calls, found from its chat template's text: the one table of what is known.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inference/answers/call_reader.h"

namespace hearth::answers {

struct ReasoningMarks {
  std::string open, close;
};

// A way to write a call: the mark that opens it, then a style. Several with the same mark are tried in turn.
struct CallGrammar {
  std::string open;  // empty: a call may stand bare, at the answer's beginning only
  CallStyle style;
};

struct CallFormat {
  std::vector<CallGrammar> grammars;
  std::vector<std::string> wrappers;  // marks around calls: dropped beside one, else they are content
  std::vector<std::string> ignored;   // marks around content: always dropped
  std::string plain_name;             // a "call" of this name is the answer's text (all)
  bool ends_reasoning = false;        // the opening mark is a token of its own: it ends reasoning too
};

struct AnswerFormat {
  std::vector<ReasoningMarks> reasoning;
  std::optional<CallFormat> calls;
  bool channels = false;                   // <|channel|>analysis<|message|>...: see channel_parser.cpp
  bool short_call_ids = false;             // nine letters and digits, which the template insists on
  std::vector<std::string> marks() const;  // all of them: special tokens that must be shown for it
};

AnswerFormat find_format(std::string_view chat_template_source);

}  // namespace hearth::answers
