// Rendered twice: with the request for an answer, and without, to see where it begins.
#include "inference/chat_tokens.h"

namespace hearth {
namespace {

int lasting(const LoadedModel& model, ChatPrompt prompt, const ChatTokens& chat) {
  if (!prompt.add_generation_prompt) return static_cast<int>(chat.tokens.size());
  prompt.add_generation_prompt = false;
  const auto history = render_chat(model, prompt);
  if (!history || !chat.text.starts_with(history->text)) return 0;
  const auto end = model.tokenizer->encode(chat.text.substr(history->text.size()), {.add_special = false});
  if (!end || end->size() > chat.tokens.size()) return 0;
  const auto begins = chat.tokens.end() - static_cast<std::ptrdiff_t>(end->size());
  return std::equal(end->begin(), end->end(), begins) ? static_cast<int>(begins - chat.tokens.begin()) : 0;
}

}  // namespace

Result<ChatTokens> chat_tokens(const LoadedModel& model, const ChatPrompt& prompt) {
  ChatTemplate::Rendered rendered = TRY(render_chat(model, prompt));
  ChatTokens out;
  out.tokens = TRY(model.tokenizer->encode(rendered.text, {.add_special = false, .typed = rendered.typed}));
  out.text = std::move(rendered.text);
  out.n_lasting = lasting(model, prompt, out);
  return out;
}

}  // namespace hearth
