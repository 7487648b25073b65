// Reads messages and tools of a chat request.
#include "inference/openai/chat_messages.h"

#include <map>

#include "inference/answers/answer.h"

namespace hearth::openai {
namespace {

std::string type_of(const OrderedJson& json) {
  return json.type_name();
}

Result<std::string> string_member(const OrderedJson& object, const char* name) {
  auto it = object.is_object() ? object.find(name) : object.end();
  if (it == object.end()) return error(Code::invalid_argument, "field \"{}\" is missing", name);
  if (!it->is_string())
    return error(Code::invalid_argument, "field \"{}\" must be a string, got {}", name, type_of(*it));
  return it->get<std::string>();
}

// A string, or parts of which the texts are joined.
Result<std::string> read_content(const OrderedJson& message) {
  auto it = message.find("content");
  if (it == message.end() || it->is_null()) return std::string();
  if (it->is_string()) return it->get<std::string>();
  if (!it->is_array())
    return error(Code::invalid_argument, "content must be a string or an array of parts, got {}", type_of(*it));
  std::string text;
  for (const OrderedJson& part : *it) {
    const std::string type = TRY_WITH(string_member(part, "type"), "in content");
    if (type != "text")
      return error(Code::invalid_argument, "content holds a part of type \"{}\"; only text is supported", type);
    text += TRY_WITH(string_member(part, "text"), "in content");
  }
  return text;
}

// OpenAI writes arguments as a string of JSON; templates want what it says.
OrderedJson read_arguments(const OrderedJson& arguments) {
  if (!arguments.is_string()) return arguments;
  OrderedJson parsed = OrderedJson::parse(arguments.get<std::string>(), nullptr, false);
  return parsed.is_object() ? parsed : arguments;
}

Result<OrderedJson> read_call(const OrderedJson& call) {
  if (!call.is_object() || !call.contains("function"))
    return error(Code::invalid_argument, "a tool call must be an object with \"function\"");
  const OrderedJson& function = call["function"];
  OrderedJson out = {{"id", ""}, {"type", "function"}, {"function", OrderedJson::object()}};
  if (call.contains("id") && call["id"].is_string()) out["id"] = call["id"];
  out["function"]["name"] = TRY(string_member(function, "name"));
  out["function"]["arguments"] =
      function.contains("arguments") ? read_arguments(function["arguments"]) : OrderedJson::object();
  return out;
}

class MessageReader {
 public:
  Result<OrderedJson> read(const OrderedJson& message) {
    std::string role = TRY(string_member(message, "role"));
    if (role == "developer") role = "system";
    if (role != "system" && role != "user" && role != "assistant" && role != "tool")
      return error(Code::invalid_argument, "role must be system, user, assistant or tool, got \"{}\"", role);
    OrderedJson out = {{"role", role}, {"content", TRY(read_content(message))}};
    if (role == "assistant") TRY(assistant(message, out));
    if (role == "tool") TRY(tool(message, out));
    return out;
  }

 private:
  Result<void> assistant(const OrderedJson& message, OrderedJson& out) {
    for (const char* name : {"reasoning_content", "reasoning", "thinking"})
      if (message.contains(name) && message[name].is_string()) {
        out["reasoning_content"] = message[name];
        out["thinking"] = message[name];
        break;
      }
    auto calls = message.find("tool_calls");
    if (calls == message.end() || calls->is_null()) return {};
    if (!calls->is_array())
      return error(Code::invalid_argument, "tool_calls must be an array, got {}", type_of(*calls));
    if (calls->size() > kMaxTools)
      return error(Code::invalid_argument, "at most {} tool calls in a message", kMaxTools);
    if (calls->empty()) return {};
    out["tool_calls"] = OrderedJson::array();
    for (const OrderedJson& call : *calls) {
      out["tool_calls"].push_back(TRY(read_call(call)));
      const OrderedJson& added = out["tool_calls"].back();
      names_[added["id"].get<std::string>()] = added["function"]["name"].get<std::string>();
    }
    return {};
  }

  // Some templates want the tool's name, which OpenAI's clients leave out: it is the call's.
  Result<void> tool(const OrderedJson& message, OrderedJson& out) {
    const std::string id = TRY(string_member(message, "tool_call_id"));
    out["tool_call_id"] = id;
    if (message.contains("name") && message["name"].is_string())
      out["name"] = message["name"];
    else if (auto known = names_.find(id); known != names_.end())
      out["name"] = known->second;
    return {};
  }

  std::map<std::string, std::string> names_;
};

Result<void> check_tool(const OrderedJson& tool, size_t index) {
  if (!tool.is_object())
    return error(Code::invalid_argument, "tools[{}] must be an object, got {}", index, type_of(tool));
  if (tool.contains("type") && tool["type"] != "function")
    return error(Code::invalid_argument, "tools[{}].type is {}; only \"function\" is supported", index,
                 tool["type"].dump());
  if (!tool.contains("function") || !tool["function"].is_object())
    return error(Code::invalid_argument, "tools[{}].function must be an object", index);
  const std::string name = TRY_WITH(string_member(tool["function"], "name"), "in tools[{}].function", index);
  if (!answers::is_tool_name(name))
    return error(Code::invalid_argument,
                 "tools[{}].function.name must be 1 to 128 letters, digits and _ . : / -, got \"{}\"", index,
                 name.substr(0, 200));
  return {};
}

// True: tools may be called; false: they are not to be.
Result<bool> read_choice(const OrderedJson& body, bool has_tools) {
  auto choice = body.find("tool_choice");
  if (choice == body.end() || choice->is_null() || *choice == "auto") return true;
  if (*choice == "none") return false;
  const bool is_named = choice->is_object() && choice->value("type", OrderedJson()) == "function";
  if (*choice != "required" && !is_named)
    return error(Code::invalid_argument, "\"tool_choice\" must be none, auto, required or a function, got {}",
                 choice->dump().substr(0, 200));
  if (!has_tools) return error(Code::invalid_argument, "\"tool_choice\" needs \"tools\"");
  return error(Code::invalid_argument,
               "\"tool_choice\" {} cannot be enforced by this version: use \"auto\" and say it in the prompt",
               is_named ? "with a named function" : "\"required\"");
}

}  // namespace

std::string dump_ordered(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

Result<std::string> read_messages(const OrderedJson& body) {
  auto messages = body.find("messages");
  if (messages == body.end() || !messages->is_array() || messages->empty())
    return error(Code::invalid_argument, "\"messages\" must be an array with at least one message");
  if (messages->size() > kMaxMessages)
    return error(Code::invalid_argument, "at most {} messages, got {}", kMaxMessages, messages->size());
  OrderedJson out = OrderedJson::array();
  MessageReader reader;
  for (size_t i = 0; i < messages->size(); ++i)
    out.push_back(TRY_WITH(reader.read((*messages)[i]), "in messages[{}]", i));
  return dump_ordered(out);
}

Result<void> read_tools(const OrderedJson& body, ChatRequest& out) {
  auto tools = body.find("tools");
  const bool has_tools = tools != body.end() && !tools->is_null() && !(tools->is_array() && tools->empty());
  if (has_tools && !tools->is_array())
    return error(Code::invalid_argument, "\"tools\" must be an array, got {}", type_of(*tools));
  if (has_tools && tools->size() > kMaxTools)
    return error(Code::invalid_argument, "at most {} tools, got {}", kMaxTools, tools->size());
  for (size_t i = 0; has_tools && i < tools->size(); ++i) TRY(check_tool((*tools)[i], i));
  if (auto it = body.find("parallel_tool_calls"); it != body.end() && !it->is_null()) {
    if (!it->is_boolean()) return error(Code::invalid_argument, "\"parallel_tool_calls\" must be true or false");
    out.parallel_tool_calls = it->get<bool>();
  }
  if (!TRY(read_choice(body, has_tools)) || !has_tools) return {};
  out.tools_json = dump_ordered(*tools);
  out.tools = Json::parse(out.tools_json);
  return {};
}

Result<std::string> read_variables(const OrderedJson& body) {
  OrderedJson out = OrderedJson::object();
  if (auto it = body.find("chat_template_kwargs"); it != body.end() && !it->is_null()) {
    if (!it->is_object())
      return error(Code::invalid_argument, "\"chat_template_kwargs\" must be an object, got {}", type_of(*it));
    out = *it;
  }
  if (auto it = body.find("reasoning_effort"); it != body.end() && !it->is_null()) {
    if (!it->is_string()) return error(Code::invalid_argument, "\"reasoning_effort\" must be a string");
    out["reasoning_effort"] = *it;
  }
  return out.empty() ? std::string() : dump_ordered(out);
}

}  // namespace hearth::openai
