// How answers look on the wire: the JSON of choices, whole and in pieces.
#pragma once

#include "inference/answers/answer.h"
#include "inference/generator.h"

namespace hearth::openai {

// A chat answer or a plain completion; everything else is the same.
struct Style {
  const char* id_prefix;
  const char* whole_object;
  const char* chunk_object;
  bool is_chat;

  Json whole_choice(const answers::AnswerDelta& answer, std::string_view finish) const;
  // A delta as choices, one for each thing that it holds.
  std::vector<Json> pieces(const answers::AnswerDelta& delta) const;
  Json opening() const;
  Json closing(std::string_view finish) const;
};
inline constexpr Style kChat{"chatcmpl", "chat.completion", "chat.completion.chunk", true};
inline constexpr Style kText{"cmpl", "text_completion", "text_completion", false};

Json usage_of(const GenerationSummary& summary);

// Adds a delta to what was said before; the pieces of a call are joined.
void append(answers::AnswerDelta& whole, const answers::AnswerDelta& delta);

}  // namespace hearth::openai
