// Finds spellings of special tokens and marks them.
#include "model_store/templates/content_guard.h"

#include <algorithm>

#include "base/json.h"
#include "base/utf8.h"

namespace hearth {

ContentGuard::ContentGuard(const Tokenizer& tokenizer) {
  for (int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
    if (!tokenizer.is_special(id)) continue;
    const std::string text(tokenizer.token_bytes(id));
    if (!text.empty()) special_by_first_[text[0]].push_back(text);
  }
  for (auto& [first, texts] : special_by_first_)
    std::sort(texts.begin(), texts.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

std::string ContentGuard::guard(std::string_view typed) const {
  // Marks that were typed go first: without them the text may spell a token.
  std::string text(typed);
  for (size_t at = 0; (at = text.find(kContentGuard, at)) != std::string::npos;) text.erase(at, kContentGuard.size());
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const std::string_view rest = std::string_view(text).substr(at);
    out += text[at++];
    auto found = special_by_first_.find(rest[0]);
    if (found == special_by_first_.end()) continue;
    const bool spells = std::any_of(found->second.begin(), found->second.end(),
                                    [&](const std::string& token) { return rest.starts_with(token); });
    if (!spells) continue;
    // Behind the whole of the first character, so that the text stays valid.
    for (size_t n = static_cast<size_t>(std::max(1, decode_utf8(rest).n_bytes)); n > 1; --n) out += text[at++];
    out += kContentGuard;
  }
  return out;
}

Result<std::string> ContentGuard::guard_messages(std::string_view messages_json) const {
  using Ordered = nlohmann::ordered_json;
  TRY(parse_json(messages_json));  // bounds the depth
  Ordered messages = Ordered::parse(messages_json, nullptr, false);
  if (!messages.is_array())
    return error(Code::invalid_argument, "messages must be an array, got {}", messages.type_name());
  for (Ordered& message : messages) {
    if (!message.is_object() || !message.contains("content")) continue;
    const Ordered role = message.value("role", Ordered());
    if (role != "user" && role != "tool") continue;
    Ordered& content = message["content"];
    if (content.is_string()) content = guard(content.get<std::string>());
    if (!content.is_array()) continue;
    for (Ordered& part : content)
      if (part.is_object() && part.contains("text") && part["text"].is_string())
        part["text"] = guard(part["text"].get<std::string>());
  }
  return messages.dump(-1, ' ', false, Ordered::error_handler_t::replace);
}

}  // namespace hearth
