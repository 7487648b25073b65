// Reads an answer back while it streams: what is reasoning, what is content, what is a tool call.
//
//   AnswerFormat format = find_format(chat_template.source());
//   auto parser = make_answer_parser(format, {.tools = tools, .prompt = rendered_prompt});
//   AnswerDelta first = parser->push("<think>so");
//   AnswerDelta last = parser->finish();
//
// However the text is cut, the deltas together are the same. Text that only looks like a call stays in the answer.
#pragma once

#include <functional>
#include <memory>

#include "inference/answers/answer.h"
#include "inference/answers/format.h"

namespace hearth::answers {

struct AnswerOptions {
  Tools tools;                               // none: nothing is read as a call
  std::string prompt;                        // the rendered prompt: it may have opened reasoning already
  std::function<std::string()> new_call_id;  // absent: random ones, as the format wants them
};

class AnswerParser {
 public:
  virtual ~AnswerParser() = default;
  virtual AnswerDelta push(std::string_view text) = 0;
  virtual AnswerDelta finish() = 0;  // what was held back
  virtual int n_calls() const = 0;   // begun so far
};

std::unique_ptr<AnswerParser> make_answer_parser(const AnswerFormat& format, AnswerOptions options);

}  // namespace hearth::answers
