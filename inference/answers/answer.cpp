// Lookups in the tools of a request.
#include "inference/answers/answer.h"

#include <algorithm>

namespace hearth::answers {

Json Tools::find(std::string_view name) const {
  for (const Json& tool : tools_)
    if (tool.is_object() && tool.contains("function") && tool["function"].is_object() &&
        tool["function"].value("name", Json()) == name)
      return tool["function"];
  return nullptr;
}

bool Tools::is_string(std::string_view tool, std::string_view parameter) const {
  Json schema = find(tool);
  for (const std::string& key : {std::string("parameters"), std::string("properties"), std::string(parameter)}) {
    if (!schema.is_object() || !schema.contains(key)) return false;
    schema = Json(schema[key]);
  }
  return schema.is_object() && schema.value("type", Json()) == "string";
}

bool is_tool_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_.:/-").find(c) != std::string_view::npos;
}

bool is_tool_name(std::string_view name) {
  return !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), is_tool_name_character);
}

}  // namespace hearth::answers
