// Turns the text of a running generation into deltas, and knows how it ended.
#pragma once

#include "inference/answers/answer_parser.h"
#include "inference/generator.h"

namespace hearth::openai {

class AnswerReader {
 public:
  // Without a parser all text is content (plain completions). Without `parallel` the second call ends the answer.
  AnswerReader(std::unique_ptr<answers::AnswerParser> parser, bool parallel)
      : parser_(std::move(parser)), parallel_(parallel) {}

  answers::AnswerDelta push(std::string_view text) {
    if (!parser_) return {.content = std::string(text)};
    return allowed(parser_->push(text));
  }
  answers::AnswerDelta finish() { return parser_ ? allowed(parser_->finish()) : answers::AnswerDelta{}; }

  // There is a second call where one was allowed: generating on is of no use.
  bool is_over() const { return parser_ && !parallel_ && parser_->n_calls() > 1; }

  std::string_view finish_reason(FinishReason reason) const {
    const bool has_calls = parser_ && parser_->n_calls() > 0;
    return has_calls && (reason == FinishReason::stop || is_over()) ? "tool_calls" : finish_reason_name(reason);
  }

 private:
  answers::AnswerDelta allowed(answers::AnswerDelta delta) const {
    if (!parallel_) std::erase_if(delta.calls, [](const answers::CallDelta& call) { return call.index > 0; });
    return delta;
  }

  std::unique_ptr<answers::AnswerParser> parser_;
  bool parallel_;
};

}  // namespace hearth::openai
