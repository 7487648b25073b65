// See example_formats.h.
#include "trainer/data/example_formats.h"

#include <algorithm>

namespace hearth::train {
namespace {

// A document is closed at the first blank line after kDocumentBytes, or at the first line end after kLongDocumentBytes:
// long enough for context, short enough to shuffle and to hold some out.
constexpr size_t kDocumentBytes = 2048;
constexpr size_t kLongDocumentBytes = 8192;

using Parsed = std::variant<Example, DataProblem>;

DataProblem problem(std::string field, std::string message) { return {0, std::move(field), std::move(message)}; }

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos; }

// object[key] as text; null when it is missing or something else, with `problem` filled.
const std::string* text_of(const Json& object, const char* key, const std::string& path, std::optional<DataProblem>& bad) {
  auto it = object.find(key);
  if (it == object.end())
    bad = problem(path + key, "is missing");
  else if (!it->is_string())
    bad = problem(path + key, fmt::format("must be text, got {}", it->type_name()));
  else
    return it->get_ptr<const std::string*>();
  return nullptr;
}

std::optional<DataProblem> check_conversation(const std::vector<ChatTurn>& turns, const char* list, const char* content_key) {
  for (size_t i = 0; i < turns.size(); ++i) {
    const std::string path = fmt::format("{}[{}]", list, i);
    if (turns[i].role == "system" && i > 0) return problem(path, "a system message may only come first");
    if (turns[i].role == "assistant" && is_blank(turns[i].content)) return problem(path + "." + content_key, "the answer is empty");
    if (turns[i].role == "assistant" && (i == 0 || turns[i - 1].role == "system"))
      return problem(path, "an answer must follow a user's message");
  }
  if (turns.back().role != "assistant") return problem(list, "the last message must be the assistant's: that is what is learned");
  return std::nullopt;
}

// messages and sharegpt differ in names only.
struct ConversationNames {
  const char *list, *role, *content;
  std::string (*role_from)(const std::string&);
  const char* known_roles;
};

std::string plain_role(const std::string& role) {
  return role == "system" || role == "user" || role == "assistant" ? role : "";
}
std::string sharegpt_role(const std::string& from) {
  if (from == "human" || from == "user") return "user";
  if (from == "gpt" || from == "assistant" || from == "chatgpt" || from == "bot") return "assistant";
  return from == "system" ? "system" : "";
}

Parsed parse_conversation(const Json& object, const ConversationNames& names, const DataLimits& limits) {
  auto list = object.find(names.list);
  if (list == object.end()) return problem(names.list, "is missing");
  if (!list->is_array() || list->empty()) return problem(names.list, "must be an array of at least one message");
  if (list->size() > static_cast<size_t>(limits.max_turns))
    return problem(names.list, fmt::format("has {} messages, more than the limit of {}", list->size(), limits.max_turns));
  Example out;
  for (size_t i = 0; i < list->size(); ++i) {
    const std::string path = fmt::format("{}[{}]", names.list, i);
    const Json& item = (*list)[i];
    if (!item.is_object()) return problem(path, fmt::format("must be an object, got {}", item.type_name()));
    std::optional<DataProblem> bad;
    const std::string* role = text_of(item, names.role, path + ".", bad);
    if (!role) return *bad;
    const std::string* content = text_of(item, names.content, path + ".", bad);
    if (!content) return *bad;
    ChatTurn turn{names.role_from(*role), *content};
    if (turn.role.empty())
      return problem(path + "." + names.role, fmt::format("must be {}, got \"{}\"", names.known_roles, role->substr(0, 40)));
    out.messages.push_back(std::move(turn));
  }
  if (auto bad = check_conversation(out.messages, names.list, names.content)) return *bad;
  return out;
}

Parsed parse_alpaca(const Json& object) {
  std::optional<DataProblem> bad;
  const std::string* instruction = text_of(object, "instruction", "", bad);
  if (!instruction) return *bad;
  const std::string* output = text_of(object, "output", "", bad);
  if (!output) return *bad;
  std::string user = *instruction;
  for (const char* optional_key : {"input", "system"})
    if (auto it = object.find(optional_key); it != object.end() && !it->is_null() && !it->is_string())
      return problem(optional_key, fmt::format("must be text, got {}", it->type_name()));
  const auto optional_text = [&](const char* key) {
    auto it = object.find(key);
    return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  if (is_blank(user)) return problem("instruction", "is empty");
  if (is_blank(*output)) return problem("output", "the answer is empty");
  if (const std::string input = optional_text("input"); !is_blank(input)) user += "\n\n" + input;
  Example out;
  if (const std::string system = optional_text("system"); !is_blank(system)) out.messages.push_back({"system", system});
  out.messages.push_back({"user", std::move(user)});
  out.messages.push_back({"assistant", *output});
  return out;
}

Parsed parse_text(const Json& object) {
  std::optional<DataProblem> bad;
  const std::string* text = text_of(object, "text", "", bad);
  if (!text) return *bad;
  if (is_blank(*text)) return problem("text", "is empty");
  Example out;
  out.text = *text;
  return out;
}

}  // namespace

std::optional<DataFormat> detect_format(const Json& object) {
  if (!object.is_object()) return std::nullopt;
  if (object.contains("messages")) return DataFormat::messages;
  if (object.contains("conversations")) return DataFormat::sharegpt;
  if (object.contains("instruction")) return DataFormat::alpaca;
  if (object.contains("text")) return DataFormat::text;
  return std::nullopt;
}

Parsed parse_example(const Json& object, DataFormat format, const DataLimits& limits) {
  if (!object.is_object()) return problem("", fmt::format("must be a JSON object, got {}", object.type_name()));
  switch (format) {
    case DataFormat::messages:
      return parse_conversation(object, {"messages", "role", "content", plain_role, "system, user or assistant"}, limits);
    case DataFormat::sharegpt:
      return parse_conversation(object, {"conversations", "from", "value", sharegpt_role, "system, human or gpt"}, limits);
    case DataFormat::alpaca:
      return parse_alpaca(object);
    case DataFormat::text:
      return parse_text(object);
  }
  return problem("", "unknown format");
}

std::vector<ArrayElement> split_json_array(std::string_view text) {
  std::vector<ArrayElement> out;
  int line = 1, begin_line = 0, depth = 0;
  size_t begin = std::string_view::npos;
  bool in_string = false, escaped = false;
  const auto close = [&](size_t end) {
    if (begin != std::string_view::npos) out.push_back({text.substr(begin, end - begin), begin_line});
    begin = std::string_view::npos;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') ++line;
    if (in_string) {
      in_string = escaped || c != '"';
      escaped = !escaped && c == '\\';
      continue;
    }
    if (depth == 1 && (c == ',' || c == ']')) {
      close(i);
      if (c == ']') return out;
      continue;
    }
    if (depth >= 1 && begin == std::string_view::npos && !is_blank(text.substr(i, 1))) begin = i, begin_line = line;
    if (c == '"') in_string = true, escaped = false;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
  }
  close(text.size());
  return out;
}

std::vector<Example> split_documents(std::string_view text) {
  std::vector<Example> out;
  Example current;
  int line = 0;
  const auto close = [&] {
    if (!is_blank(current.text)) out.push_back(std::move(current));
    current = {};
  };
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size() - 1);
    std::string_view one = text.substr(0, end + 1);
    text.remove_prefix(end + 1);
    ++line;
    if (current.text.empty() && is_blank(one)) continue;
    if (current.text.empty()) current.line = line;
    current.text += one;
    if ((is_blank(one) && current.text.size() >= kDocumentBytes) || current.text.size() >= kLongDocumentBytes) close();
  }
  close();
  return out;
}

}  // namespace hearth::train
