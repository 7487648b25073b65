// See turns.h.
#include "trainer/data/turns.h"

#include <algorithm>
#include <array>

namespace hearth::train {
namespace {

std::string role_of(const std::string& name) {
  if (name == "system" || name == "developer") return "system";
  if (name == "user" || name == "human") return "user";
  for (const char* other : {"assistant", "gpt", "chatgpt", "bot", "model"})
    if (name == other) return "assistant";
  for (const char* other : {"tool", "function", "observation", "tool_response"})
    if (name == other) return "tool";
  return name == "function_call" || name == "tool_call" ? "function_call" : "";
}

bool is_turn_key(std::string_view key) {
  static constexpr std::array kKeys = {"role",         "from",          "content",
                                       "value",        "name",          "weight",
                                       "train",        "loss",          "reasoning_content",
                                       "reasoning",    "thinking",      "tool_calls",
                                       "tool_call_id", "function_call", "images",
                                       "image",        "audio",         "audios",
                                       "video",        "videos",        "refusal",
                                       "train_detail", "prefix",        "partial"};
  return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
}

}  // namespace

const RowJson* value_of(const RowJson& object, const std::string& key) {
  const auto it = object.find(key);
  if (it == object.end() || it->is_null()) return nullptr;
  if ((it->is_array() || it->is_object()) && it->empty()) return nullptr;
  if (it->is_string() && it->get_ref<const std::string&>().empty()) return nullptr;
  return &*it;
}

std::optional<RowJson> structure_of(const RowJson& value) {
  if (value.is_array() || value.is_object()) return value;
  if (!value.is_string()) return std::nullopt;
  auto parsed = parse_row(value.get_ref<const std::string&>());
  if (auto* json = std::get_if<RowJson>(&parsed); json && (json->is_array() || json->is_object()))
    return std::move(*json);
  return std::nullopt;
}

void TurnReader::refuse(const RowJson& object, const std::string& path) {
  struct Refused {
    const char *key, *why;
  };
  static constexpr Refused kRefused[] = {
      {"chosen",
       "belongs to a preference pair (chosen and rejected answers); this trains on answers: keep the chosen one as the "
       "answer and remove both keys"},
      {"rejected",
       "belongs to a preference pair (chosen and rejected answers); this trains on answers: keep the chosen one as the "
       "answer and remove both keys"},
      {"kto_tag",
       "marks answers as wanted or unwanted, which this training cannot learn from; keep the wanted ones and remove "
       "the key"},
      {"images", "holds images; only text can be trained on"},
      {"image", "holds an image; only text can be trained on"},
      {"audio", "holds sound; only text can be trained on"},
      {"audios", "holds sound; only text can be trained on"},
      {"video", "holds a video; only text can be trained on"},
      {"videos", "holds a video; only text can be trained on"},
      {"refusal", "is set: the answer was a refusal; move its text into content, or remove the row"},
      {"train_detail", "marks parts of an answer to be learned; only whole answers can be chosen (weight 0 or 1)"},
  };
  for (const auto& [key, why] : kRefused)
    if (value_of(object, key)) fail(path.empty() ? key : path + "." + key, why);
}

void TurnReader::count_unused(const RowJson& object, const std::string& path, bool (*is_known)(std::string_view)) {
  for (const auto& [key, value] : object.items())
    if (!is_known(key)) ++unused_[path + key];
}

std::optional<bool> TurnReader::learn_flag(const RowJson& object, const std::string& path) {
  std::optional<bool> out;
  for (const char* key : {"weight", "train", "loss"}) {
    const RowJson* value = value_of(object, key);
    if (!value || (path.empty() && key == std::string_view("loss"))) continue;  // a row's loss is a figure, not a flag
    const std::string field = path.empty() ? key : path + "." + key;
    const bool is_flag =
        value->is_boolean() || (value->is_number() && (*value == 0 || *value == 1)) || *value == "0" || *value == "1";
    if (!is_flag) {
      fail(field,
           fmt::format("must be 0 or 1, got {}: an answer is learned or it is not", dump_row(*value).substr(0, 40)));
      return out;
    }
    const bool flag = value->is_boolean() ? value->get<bool>() : value->is_string() ? *value == "1" : *value == 1;
    if (out && *out != flag) fail(field, "contradicts another key that says whether the answer is learned");
    out = flag;
  }
  return out;
}

// A text, or parts of which the texts are joined and the thoughts kept apart.
std::string TurnReader::read_content(const RowJson& item, const std::string& path, std::string& reasoning) {
  const RowJson* content = nullptr;
  std::string field = path + (item.contains("value") && !item.contains("content") ? ".value" : ".content");
  for (const char* key : {"content", "value"}) {
    const auto it = item.find(key);
    if (it == item.end() || it->is_null()) continue;
    if (content && *content != *it) fail(path, "has both content and value, and they differ");
    content = &*it;
    field = path + "." + key;
  }
  if (!content) return {};
  if (content->is_string()) return content->get<std::string>();
  if (!content->is_array()) {
    fail(field, fmt::format("must be text, got {}", content->type_name()));
    return {};
  }
  std::string text;
  for (size_t i = 0; i < content->size(); ++i) {
    const RowJson& part = (*content)[i];
    const std::string here = fmt::format("{}[{}]", field, i);
    const RowJson* type = part.is_object() ? value_of(part, "type") : nullptr;
    const std::string kind = type && type->is_string() ? type->get<std::string>() : "";
    const bool is_thought = kind == "thinking" || kind == "reasoning";
    const char* key = is_thought && part.contains(kind) ? (kind == "thinking" ? "thinking" : "reasoning") : "text";
    if (!is_thought && kind != "text" && kind != "input_text" && kind != "output_text") {
      fail(here, kind.empty() ? "must be an object with \"type\" and \"text\""
                              : fmt::format("is of type \"{}\"; only text can be trained on", kind.substr(0, 40)));
      return {};
    }
    if (!part.contains(key) || !part[key].is_string()) {
      fail(here + "." + key, "must be text");
      return {};
    }
    (is_thought ? reasoning : text) += part[key].get<std::string>();
  }
  return text;
}

std::string TurnReader::read_reasoning(const RowJson& item, const std::string& path) {
  std::string out;
  for (const char* key : {"reasoning_content", "reasoning", "thinking"}) {
    const RowJson* value = value_of(item, key);
    if (!value) continue;
    if (!value->is_string())
      fail(path + "." + key, fmt::format("must be text, got {}", value->type_name()));
    else if (!out.empty() && out != value->get<std::string>())
      fail(path + "." + key, "differs from another key that holds the reasoning");
    else
      out = value->get<std::string>();
  }
  return out;
}

// OpenAI writes arguments as a text of JSON; templates want what it says.
RowJson TurnReader::read_arguments(const RowJson& arguments, const std::string& path) {
  if (arguments.is_object()) return arguments;
  if (arguments.is_null() || arguments == "") return RowJson::object();
  auto structure = structure_of(arguments);
  if (structure && structure->is_object()) return *structure;
  fail(path + ".arguments", "must be an object, or a text that holds one as JSON");
  return RowJson::object();
}

RowJson TurnReader::read_call(const RowJson& call, const std::string& path) {
  RowJson out = {{"id", fmt::format("call{:05}", ++n_calls_)}, {"type", "function"}, {"function", RowJson::object()}};
  const bool is_wrapped = call.is_object() && call.contains("function") && call["function"].is_object();
  const RowJson& function = is_wrapped ? call["function"] : call;
  if (!function.is_object() || !value_of(function, "name") || !function["name"].is_string()) {
    fail(path, "must be a call: an object with \"function\", in it \"name\" and \"arguments\"");
    return out;
  }
  if (is_wrapped && value_of(call, "id") && call["id"].is_string()) out["id"] = call["id"];
  out["function"]["name"] = function["name"];
  const auto arguments = function.find("arguments");
  const auto parameters = function.find("parameters");
  const RowJson none;
  out["function"]["arguments"] = read_arguments(arguments != function.end()    ? *arguments
                                                : parameters != function.end() ? *parameters
                                                                               : none,
                                                path);
  open_calls_.emplace_back(out["id"].get<std::string>(), out["function"]["name"].get<std::string>());
  return out;
}

void TurnReader::read_calls(const RowJson& item, const std::string& path, ChatTurn& turn) {
  RowJson calls = RowJson::array();
  if (const RowJson* list = value_of(item, "tool_calls")) {
    const auto structure = structure_of(*list);
    if (!structure || !structure->is_array()) return fail(path + ".tool_calls", "must be a list of calls");
    for (size_t i = 0; i < structure->size(); ++i)
      calls.push_back(read_call((*structure)[i], fmt::format("{}.tool_calls[{}]", path, i)));
  }
  if (const RowJson* one = value_of(item, "function_call")) {  // as it was before tool_calls
    if (!calls.empty()) return fail(path + ".function_call", "stands beside tool_calls; keep one of them");
    calls.push_back(read_call(structure_of(*one).value_or(*one), path + ".function_call"));
  }
  if (!calls.empty()) turn.tool_calls = dump_row(calls);
}

// An answer of a tool belongs to a call: by its id, or in the order of the calls.
void TurnReader::read_tool_answer(const RowJson& item, ChatTurn& turn) {
  if (const RowJson* id = value_of(item, "tool_call_id"); id && id->is_string())
    turn.tool_call_id = id->get<std::string>();
  auto call =
      std::find_if(open_calls_.begin(), open_calls_.end(), [&](const auto& c) { return c.first == turn.tool_call_id; });
  if (call == open_calls_.end() && turn.tool_call_id.empty()) call = open_calls_.begin();
  if (call == open_calls_.end()) return;
  turn.tool_call_id = call->first;
  if (turn.name.empty()) turn.name = call->second;
  open_calls_.erase(call);
}

void TurnReader::read_turn(const RowJson& item, const std::string& path, bool is_learned, std::vector<ChatTurn>& out) {
  if (!item.is_object()) return fail(path, fmt::format("must be an object, got {}", item.type_name()));
  const char* role_key = item.contains("from") && !item.contains("role") ? "from" : "role";
  const auto role = item.find(role_key);
  if (role == item.end()) return fail(path + ".role", "is missing");
  if (!role->is_string()) return fail(path + "." + role_key, fmt::format("must be text, got {}", role->type_name()));
  ChatTurn turn;
  turn.role = role_of(role->get<std::string>());
  if (turn.role.empty())
    return fail(path + "." + role_key,
                fmt::format("must be system, user, assistant or tool (or human, gpt), got \"{}\"",
                            role->get<std::string>().substr(0, 40)));
  turn.content = read_content(item, path, turn.reasoning);
  refuse(item, path);
  count_unused(item, path.substr(0, path.rfind('[')) + "[].", is_turn_key);
  if (turn.role == "function_call") {  // ShareGPT: the call is the value
    turn.role = "assistant";
    const RowJson calls = structure_of(RowJson(turn.content)).value_or(RowJson());
    if (calls.is_null()) return fail(path, "must hold a call as JSON: {\"name\": \"...\", \"arguments\": {...}}");
    turn.content.clear();
    RowJson wrapped = RowJson::object();
    wrapped["tool_calls"] = calls.is_array() ? calls : RowJson::array({calls});
    read_calls(wrapped, path, turn);
  } else if (turn.role == "assistant") {
    read_calls(item, path, turn);
    const std::string reasoning = read_reasoning(item, path);
    if (!reasoning.empty()) turn.reasoning = reasoning;
  } else {
    for (const char* key : {"tool_calls", "function_call", "reasoning_content", "reasoning", "thinking"})
      if (value_of(item, key)) fail(path + "." + key, "only an assistant's message can have it");
  }
  for (const char* key : {"prefix", "partial"})
    if (const RowJson* value = value_of(item, key); value && *value != false)
      fail(path + "." + key, "marks the beginning of an answer that goes on; write the whole answer");
  if (const RowJson* name = value_of(item, "name")) {
    if (!name->is_string()) return fail(path + ".name", fmt::format("must be text, got {}", name->type_name()));
    turn.name = name->get<std::string>();
  }
  const std::optional<bool> flag = learn_flag(item, path);
  if (flag == true && turn.role != "assistant")
    fail(path, "is marked to be learned, but only the assistant's messages are");
  turn.is_learned = turn.role == "assistant" ? flag.value_or(is_learned) : true;
  if (turn.role == "tool") read_tool_answer(item, turn);
  const bool has_text = item.contains("content") || item.contains("value") || !turn.tool_calls.empty();
  const std::string field = path + (*role_key == 'f' && !item.contains("content") ? ".value" : ".content");
  if (!has_text) return fail(field, "is missing");
  const bool is_null = (item.contains("content") ? item["content"] : item.value("value", RowJson())).is_null();
  if (is_null && turn.tool_calls.empty() && turn.role != "assistant") return fail(field, "must be text, got null");
  out.push_back(std::move(turn));
}

void TurnReader::read_list(const RowJson& value, const std::string& path, bool is_learned, std::vector<ChatTurn>& out) {
  const auto list = structure_of(value);
  if (!list || !list->is_array() || list->empty()) return fail(path, "must be an array of at least one message");
  if (out.size() + list->size() > static_cast<size_t>(limits_.max_turns))
    return fail(path, fmt::format("has {} messages, more than the limit of {}", list->size(), limits_.max_turns));
  for (size_t i = 0; i < list->size() && !bad_; ++i)
    read_turn((*list)[i], fmt::format("{}[{}]", path, i), is_learned, out);
}

void TurnReader::read_history(const RowJson& value, std::vector<ChatTurn>& out) {
  const auto history = structure_of(value);
  if (!history || !history->is_array()) return fail("history", "must be a list of [question, answer] pairs");
  if (history->size() * 2 > static_cast<size_t>(limits_.max_turns)) return fail("history", "has too many turns");
  for (size_t i = 0; i < history->size(); ++i) {
    const RowJson& pair = (*history)[i];
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string())
      return fail(fmt::format("history[{}]", i), "must be a pair [question, answer] of texts");
    out.push_back({"user", pair[0].get<std::string>()});
    out.push_back({"assistant", pair[1].get<std::string>()});
  }
}

std::string TurnReader::read_tools(const RowJson& value, const std::string& path) {
  auto tools = structure_of(value);
  if (tools && tools->is_object()) tools = RowJson::array({*tools});
  if (!tools) {
    fail(path, "must be a list of tools, or a text that holds one as JSON");
    return {};
  }
  RowJson out = RowJson::array();
  for (size_t i = 0; i < tools->size(); ++i) {
    const RowJson& tool = (*tools)[i];
    const bool is_wrapped = tool.is_object() && tool.contains("function");
    const RowJson& function = is_wrapped ? tool["function"] : tool;
    if (!function.is_object() || !value_of(function, "name") || !function["name"].is_string()) {
      fail(fmt::format("{}[{}]", path, i),
           "must be a tool: an object with \"function\", in it \"name\" and \"parameters\"");
      return {};
    }
    out.push_back(is_wrapped ? tool : RowJson{{"type", "function"}, {"function", tool}});
  }
  return out.empty() ? std::string() : dump_row(out);
}

std::optional<DataProblem> check_conversation(const std::vector<ChatTurn>& turns, const std::string& list) {
  bool any_learned = false;
  for (size_t i = 0; i < turns.size(); ++i) {
    const std::string path = fmt::format("{}[{}]", list, i);
    const ChatTurn& turn = turns[i];
    if (turn.role == "system" && i > 0) return problem(path, "a system message may only come first");
    if (turn.role != "assistant") continue;
    any_learned = any_learned || turn.is_learned;
    if (is_blank(turn.content) && turn.tool_calls.empty()) return problem(path + ".content", "the answer is empty");
    if (i == 0 || turns[i - 1].role == "system") return problem(path, "an answer must follow a user's message");
  }
  if (turns.back().role != "assistant")
    return problem(list, "the last message must be the assistant's: that is what is learned");
  if (!any_learned) return problem(list, "no answer is marked to be learned (all have weight 0)");
  return std::nullopt;
}

}  // namespace hearth::train
