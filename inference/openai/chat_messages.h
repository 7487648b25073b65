// The parts of a chat request that the chat template sees: messages, tools, variables; the order of keys kept.
#pragma once

#include "inference/openai/requests.h"

namespace hearth::openai {

using OrderedJson = nlohmann::ordered_json;

inline constexpr size_t kMaxTools = 128;

std::string dump_ordered(const OrderedJson& json);

// messages as the template wants them: content a string, arguments of earlier calls as objects, reasoning under the
// names that templates use, a tool's answer with the tool's name.
Result<std::string> read_messages(const OrderedJson& body);
// tools, tool_choice and parallel_tool_calls.
Result<void> read_tools(const OrderedJson& body, ChatRequest& out);
// chat_template_kwargs and reasoning_effort.
Result<std::string> read_variables(const OrderedJson& body);

}  // namespace hearth::openai
