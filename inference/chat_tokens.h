// The tokens of a conversation in the model's own template, and how many of them are the conversation itself.
#pragma once

#include "model_store/formats/load.h"

namespace hearth {

struct ChatTokens {
  std::string text;  // what the template made
  std::vector<int32_t> tokens;
  // The tokens before the template's request for an answer: the next turn begins with them, whatever becomes of the
  // answer (GenerationRequest::n_lasting). 0: the template does not write it so.
  int n_lasting = 0;
};
// Errors: those of the template and the tokenizer.
Result<ChatTokens> chat_tokens(const LoadedModel& model, const ChatPrompt& prompt);

}  // namespace hearth
