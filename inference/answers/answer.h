// What an answer is made of once it has been read: content, reasoning and tool calls, in pieces as they come.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace hearth::answers {

// A piece of a call: the first one brings id and name, all of them together spell the arguments.
struct CallDelta {
  int index = 0;
  std::string id, name;   // empty in later pieces
  std::string arguments;  // JSON text, as far as it is known
};

struct AnswerDelta {
  std::string content, reasoning;
  std::vector<CallDelta> calls;
  bool empty() const { return content.empty() && reasoning.empty() && calls.empty(); }
};

// The tools that a request offers: [{"type": "function", "function": {"name", "parameters": JSON schema}}, ...].
class Tools {
 public:
  Tools() = default;
  explicit Tools(Json tools) : tools_(std::move(tools)) {}
  bool empty() const { return tools_.empty(); }
  bool has(std::string_view name) const { return !find(name).is_null(); }
  // Is a parameter a string and nothing else? Formats without quotes need to know. Unknown ones are not.
  bool is_string(std::string_view tool, std::string_view parameter) const;

 private:
  Json find(std::string_view name) const;
  Json tools_ = Json::array();
};

// Letters, digits and _.:/- ; at most 128: anything else is no tool's name.
bool is_tool_name_character(char c);
bool is_tool_name(std::string_view name);

}  // namespace hearth::answers
