// OpenAI's requests as native types: JSON stops here. Unknown members are ignored, as clients send many; members that
// would change the answer and are not built yet are refused by name (unsupported_fields.h).
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "inference/generator.h"

namespace hearth::openai {

inline constexpr size_t kMaxMessages = 4096;

struct CompletionOptions {
  std::string model;
  int max_tokens = 0;  // 0: as many as there is room for
  int min_tokens = 0;  // no end before so many
  SamplingParams sampling;
  std::vector<std::string> stop;
  std::vector<int32_t> stop_ids;
  bool ignore_eos = false;
  bool stream = false, include_usage = false;
};

struct ChatRequest {
  CompletionOptions options;
  std::string messages_json;   // [{"role", "content", ...}], content a plain string, arguments of calls as objects
  std::string tools_json;      // as the client wrote it, or empty: no tools, or tool_choice "none"
  Json tools = Json::array();  // the same
  std::string variables_json;  // further variables of the chat template, an object or empty
  bool parallel_tool_calls = true;
  bool add_generation_prompt = true;
};

struct CompletionRequest {
  CompletionOptions options;
  std::vector<std::string> prompts;  // one of prompts and token_prompt
  std::vector<int32_t> token_prompt;
  bool echo = false;
};

// What the API says where neither the client nor the model says anything.
inline constexpr SamplingParams kApiDefaults{.temperature = 1};

// `text`: the body as it came. The order of keys in tools is what the model sees, and Json does not keep it.
// `defaults`: what holds for fields that the client left out.
Result<ChatRequest> parse_chat_request(const Json& body, std::string_view text,
                                       const SamplingParams& defaults = kApiDefaults);
Result<CompletionRequest> parse_completion_request(const Json& body, const SamplingParams& defaults = kApiDefaults);

}  // namespace hearth::openai
