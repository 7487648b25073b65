// Chat templates: turn a conversation into the exact prompt text that a model was trained on.
//
// The template is untrusted input (it comes with the model), so it runs in our own interpreter of the Jinja language:
// no host objects, no files, no clock of its own, and limits on nesting, steps, output and time.
//
//   ChatTemplate chat = TRY(ChatTemplate::parse(source));
//   std::string prompt = TRY(chat.render(R"({"messages": [{"role": "user", "content": "Hi"}],
//                                            "add_generation_prompt": true, "bos_token": "<s>", "eos_token":
//                                            "</s>"})"));
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model_store/tokenizers/text_range.h"

namespace hearth {

struct TemplateLimits {
  size_t max_source_bytes = size_t{1} << 20;
  size_t max_context_bytes = size_t{64} << 20;
  int max_depth = 64;  // nested blocks, expressions, calls, containers
  // The rest holds for a small conversation; a large one may take more, in proportion (see chat_template.cpp).
  size_t max_output_bytes = size_t{4} << 20;   // and no intermediate string may be longer
  size_t max_memory_bytes = size_t{64} << 20;  // all strings, lists and dicts made while rendering, together
  int64_t max_steps = 500'000;                 // nodes evaluated, plus one for each 64 bytes handled
  std::chrono::milliseconds max_time{80};      // of the processor
};

// Immutable once parsed; render() may be called from several threads at once.
class ChatTemplate {
 public:
  // invalid_argument with the line for a template that is not valid, or nests deeper than the limit.
  static Result<ChatTemplate> parse(std::string_view source, const TemplateLimits& limits = {});

  // `context_json` is a JSON object whose members become the template's variables: messages, tools,
  // add_generation_prompt, bos_token, eos_token, ... The order of keys is kept, because `tojson` shows it to the model:
  // pass on the text of tools as the client sent it, or build it as nlohmann::ordered_json.
  // `now` ("2026-01-31T12:00:00", local time) is what strftime_now() sees; absent: the clock.
  // Errors: invalid_argument when the template itself refuses the conversation (raise_exception), or does something
  // that is not defined; resource_exhausted when a limit is reached.
  Result<std::string> render(std::string_view context_json) const;

  // The same from a parsed document; nlohmann::json keeps keys sorted, so tools come out with sorted keys.
  Result<std::string> render_json(const Json& context) const;

  // As render(), and which of it people typed: all texts of the conversation (messages, tools, further variables), and
  // what the template made of them; not what it writes itself, nor bos_token and eos_token. With it goes where the
  // text between {% generation %} and {% endgeneration %} lies: byte ranges of the answers,
  // for a loss on answers only. Empty when the template does not mark them.
  struct Rendered {
    std::string text;
    std::vector<std::pair<size_t, size_t>> generated;  // [begin, end) in bytes of text
    TextRanges typed;                                  // for EncodeOptions::typed
  };
  Result<Rendered> render_marked(std::string_view context_json) const;

  const std::string& source() const;

 private:
  struct Impl;
  explicit ChatTemplate(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace hearth
