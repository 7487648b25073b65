// Keeps what people type apart from what a chat template writes. A prompt is text in which "<|im_end|>" ends a turn;
// when a user's message spells it, it must stay text. The guard puts a mark inside such spellings before the template
// runs; the mark passes through the template, and the tokenizer (EncodeOptions::guarded) drops it and takes the
// spelling as text.
//
//   ContentGuard guard(tokenizer);
//   auto prompt = render_chat(model, {.messages_json = TRY(guard.guard_messages(messages))});
//   auto ids = tokenizer.encode(prompt.text, {.add_special = false, .guarded = true});
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model_store/tokenizers/tokenizer.h"

namespace hearth {

class ContentGuard {
 public:
  explicit ContentGuard(const Tokenizer& tokenizer);

  // A mark in every spelling of a special token; marks that were there before are dropped.
  std::string guard(std::string_view typed) const;
  // The contents of messages of users and tools guarded, everything else as it is: the system prompt is the operator's,
  // and templates look for their own tags in earlier answers.
  Result<std::string> guard_messages(std::string_view messages_json) const;

 private:
  std::unordered_map<char, std::vector<std::string>> special_by_first_;  // texts of special tokens, longest first
};

}  // namespace hearth
