// The fuzz target for chat templates: parse, and render a conversation with everything in it.
#include <chrono>

#include "model_store/templates/chat_template.h"
#include "tests/fuzz/targets.h"

namespace hearth::fuzz {

void chat_template(const uint8_t* data, size_t size) {
  TemplateLimits limits;
  limits.max_time = std::chrono::milliseconds(200);
  limits.max_memory_bytes = size_t{64} << 20;
  auto parsed = ChatTemplate::parse({reinterpret_cast<const char*>(data), size}, limits);
  if (!parsed) return;
  (void)parsed->render(
      R"({"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi \u4f60"},
    {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1.5}}}]}],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    "add_generation_prompt": true, "bos_token": "<s>", "eos_token": "</s>", "now": "2026-01-31T12:00:00"})");
}

}  // namespace hearth::fuzz
