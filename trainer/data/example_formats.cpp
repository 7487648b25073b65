// See example_formats.h.
#include "trainer/data/example_formats.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/json_error.h"
#include "trainer/data/turns.h"

namespace hearth::train {
namespace {

// A document is closed at the first blank line after kDocumentBytes, or at the first line end after kLongDocumentBytes:
// long enough for context, short enough to shuffle and to hold some out.
constexpr size_t kDocumentBytes = 2048;
constexpr size_t kLongDocumentBytes = 8192;

using Names = std::span<const std::string_view>;
constexpr std::array<std::string_view, 4> kLists = {"messages", "conversations", "conversation", "dialogue"};
constexpr std::array<std::string_view, 6> kQuestions = {"instruction", "prompt", "question", "query", "input", "user"};
constexpr std::array<std::string_view, 6> kAnswers = {"output",   "completion", "answer",
                                                      "response", "assistant",  "target"};
constexpr std::array<std::string_view, 2> kSystems = {"system", "system_prompt"};

bool is_one_of(Names names, std::string_view key) {
  return std::find(names.begin(), names.end(), key) != names.end();
}

bool is_refused_key(std::string_view key) {
  static constexpr std::array<std::string_view, 11> kKeys = {"chosen", "rejected", "kto_tag",     "images",
                                                             "image",  "audio",    "audios",      "video",
                                                             "videos", "refusal",  "train_detail"};
  return is_one_of(kKeys, key);
}
bool is_common_key(std::string_view key) {
  static constexpr std::array<std::string_view, 5> kKeys = {"tools", "functions", "weight", "train",
                                                            "chat_template_kwargs"};
  return is_one_of(kKeys, key) || is_one_of(kSystems, key) || is_refused_key(key);
}
bool is_conversation_key(std::string_view key) {
  return is_one_of(kLists, key) || is_common_key(key);
}
bool is_text_key(std::string_view key) {
  return key == "text" || is_refused_key(key);
}

// Which of the names the row has; two are ambiguous.
std::optional<std::string> only_key(const RowJson& row, Names names, TurnReader& reader, const char* what) {
  std::optional<std::string> found;
  for (std::string_view name : names) {
    if (!row.contains(std::string(name))) continue;
    if (found) {
      reader.fail(std::string(name), fmt::format("could be the {} as well as {}; keep one of the two", what, *found));
      return found;
    }
    found = std::string(name);
  }
  return found;
}

// Keys of any conversation: tools, the system prompt, template variables, whether it is learned at all.
void read_common(const RowJson& row, TurnReader& reader, Example& out) {
  for (const char* key : {"tools", "functions"}) {
    const RowJson* tools = value_of(row, key);
    if (!tools) continue;
    if (!out.tools.empty()) return reader.fail("functions", "stands beside tools; keep one of them");
    out.tools = reader.read_tools(*tools, key);
  }
  if (const RowJson* variables = value_of(row, "chat_template_kwargs")) {
    const auto structure = structure_of(*variables);
    if (!structure || !structure->is_object()) return reader.fail("chat_template_kwargs", "must be an object");
    out.variables = dump_row(*structure);
  }
  for (std::string_view key : kSystems) {
    const RowJson* system = value_of(row, std::string(key));
    if (!system) continue;
    if (!system->is_string())
      return reader.fail(std::string(key), fmt::format("must be text, got {}", system->type_name()));
    const auto text = system->get<std::string>();
    if (is_blank(text)) continue;
    const bool has_system = !out.messages.empty() && out.messages[0].role == "system";
    if (has_system && out.messages[0].content != text)
      return reader.fail(std::string(key), "stands beside another system message; keep one of them");
    if (!has_system) out.messages.insert(out.messages.begin(), {"system", text});
  }
  if (reader.learn_flag(row, "") == false)
    for (ChatTurn& turn : out.messages)
      if (turn.role == "assistant") turn.is_learned = false;
}

Parsed finish(Example out, const std::string& path, TurnReader& reader) {
  if (reader.bad()) return *reader.bad();
  if (auto bad = check_conversation(out.messages, path)) return *bad;
  return out;
}

Parsed parse_conversation(const RowJson& row, const DataLimits& limits, KeyCounts& unused) {
  TurnReader reader(limits, unused);
  Example out;
  std::string path = "messages";
  if (row.is_array()) {
    reader.read_list(row, path, true, out.messages);
    return finish(std::move(out), path, reader);
  }
  const auto key = only_key(row, kLists, reader, "conversation");
  if (!key) return problem("messages", "is missing");
  if (reader.bad()) return *reader.bad();
  reader.read_list(row[*key], *key, true, out.messages);
  if (reader.bad()) return *reader.bad();
  reader.refuse(row, "");
  read_common(row, reader, out);
  reader.count_unused(row, "", is_conversation_key);
  return finish(std::move(out), *key, reader);
}

// One side of a pair: a text, or a list of messages.
void read_side(const RowJson& row, const std::string& key, const char* role, TurnReader& reader,
               std::vector<ChatTurn>& out) {
  const RowJson& value = row[key];
  const bool is_question = std::string_view(role) == "user";
  const auto structure = value.is_array() ? std::optional(value) : std::nullopt;
  if (structure) return reader.read_list(value, key, !is_question, out);
  if (!value.is_string()) return reader.fail(key, fmt::format("must be text, got {}", value.type_name()));
  if (is_blank(value.get_ref<const std::string&>()))
    return reader.fail(key, is_question ? "is empty" : "the answer is empty");
  out.push_back({role, value.get<std::string>()});
}

std::string optional_text(const RowJson& row, const char* key, TurnReader& reader) {
  const RowJson* value = value_of(row, key);
  if (!value) return {};
  if (value->is_string()) return value->get<std::string>();
  reader.fail(key, fmt::format("must be text, got {}", value->type_name()));
  return {};
}

constexpr std::array<std::string_view, 3> kPairExtras = {"history", "context", "label"};

Parsed parse_pair(const RowJson& row, const DataLimits& limits, KeyCounts& unused) {
  TurnReader reader(limits, unused);
  Example out;
  // Beside an instruction, input is its material; and beside an instruction or an input, output is the answer.
  std::optional<std::string> question = "instruction";
  if (!row.contains("instruction")) question = only_key(row, kQuestions, reader, "question");
  const auto answer = only_key(row, kAnswers, reader, "answer");
  if (!question) return problem("instruction", "is missing");
  if (!answer) return problem("output", "is missing");
  if (const RowJson* history = value_of(row, "history")) reader.read_history(*history, out.messages);
  const size_t n_before = out.messages.size();
  read_side(row, *question, "user", reader, out.messages);
  std::string material = optional_text(row, "context", reader);
  if (*question == "instruction") {
    const std::string input = optional_text(row, "input", reader);
    if (!is_blank(input)) material = is_blank(material) ? input : material + "\n\n" + input;
  }
  if (!reader.bad() && !is_blank(material)) {
    if (out.messages.size() != n_before + 1) return problem("context", "cannot stand beside a list of messages");
    out.messages.back().content += "\n\n" + material;
  }
  read_side(row, *answer, "assistant", reader, out.messages);
  if (reader.bad()) return *reader.bad();
  reader.refuse(row, "");
  if (row.contains("label") && row["label"] == false)
    return problem("label", "is false: the answer is marked as unwanted, and would be learned; remove the row");
  read_common(row, reader, out);
  for (const auto& [key, value] : row.items()) {
    const bool is_input = key == "input" && *question == "instruction";
    if (key != *question && key != *answer && !is_input && !is_common_key(key) && !is_one_of(kPairExtras, key))
      ++unused[key];
  }
  return finish(std::move(out), *answer, reader);
}

Parsed parse_text(const RowJson& row, const DataLimits& limits, KeyCounts& unused) {
  TurnReader reader(limits, unused);
  const auto text = row.find("text");
  if (text == row.end()) return problem("text", "is missing");
  if (!text->is_string()) return problem("text", fmt::format("must be text, got {}", text->type_name()));
  if (is_blank(text->get_ref<const std::string&>())) return problem("text", "is empty");
  reader.refuse(row, "");
  if (reader.bad()) return *reader.bad();
  reader.count_unused(row, "", is_text_key);
  Example out;
  out.text = text->get<std::string>();
  return out;
}

bool has_any(const RowJson& row, Names names) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view name) { return row.contains(std::string(name)); });
}

}  // namespace

std::variant<RowJson, DataProblem> parse_row(std::string_view text) {
  bool too_deep = false;
  std::string twice;
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int depth, RowJson::parse_event_t event, RowJson& parsed) {
    too_deep |= depth > kMaxRowDepth;
    if (event == RowJson::parse_event_t::object_start) keys.emplace_back();
    if (event == RowJson::parse_event_t::object_end) keys.pop_back();
    if (event == RowJson::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second)
      twice = parsed.get<std::string>();
    return !too_deep;
  };
  try {
    RowJson json = RowJson::parse(text, watch);
    if (too_deep) return problem("", fmt::format("nests deeper than {} levels", kMaxRowDepth));
    if (!twice.empty()) return problem(twice, "stands twice in one object; keep one of the two");
    return json;
  } catch (const nlohmann::json::exception& e) {
    return problem("", "not valid JSON: " + readable_json_error(e.what(), text));
  }
}

std::optional<DataFormat> detect_format(const RowJson& row) {
  if (row.is_array()) return DataFormat::messages;
  if (!row.is_object()) return std::nullopt;
  if (row.contains("messages")) return DataFormat::messages;
  if (has_any(row, kLists)) return DataFormat::sharegpt;
  if (row.contains("instruction") && row.contains("output")) return DataFormat::alpaca;
  if (has_any(row, kQuestions) && has_any(row, kAnswers)) return DataFormat::pairs;
  if (row.contains("instruction")) return DataFormat::alpaca;
  if (row.contains("text")) return DataFormat::text;
  return std::nullopt;
}

std::string why_no_format(const RowJson& row) {
  if (!row.is_object()) return fmt::format("must be a JSON object, got {}", row.type_name());
  if (row.contains("chosen") || row.contains("rejected"))
    return "has chosen and rejected answers (a preference pair); this trains on answers: write the chosen one as "
           "\"output\"";
  for (const auto& [key, value] : row.items())
    if (value.is_array() && !value.empty() && value[0].is_object())
      return fmt::format("has its rows under \"{}\"; save that list alone as the file", key);
  std::string keys;
  for (const auto& [key, value] : row.items())
    if (keys.size() < 200) keys += (keys.empty() ? "" : ", ") + key;
  return fmt::format(
      "the format cannot be told by its keys ({}); known are messages, conversations, instruction and output, prompt "
      "and completion, "
      "question and answer, or text",
      keys.empty() ? "none" : keys);
}

Parsed parse_example(const RowJson& row, DataFormat format, const DataLimits& limits, KeyCounts& unused) {
  const bool is_list = row.is_array() && (format == DataFormat::messages || format == DataFormat::sharegpt);
  if (!row.is_object() && !is_list) return problem("", fmt::format("must be a JSON object, got {}", row.type_name()));
  switch (format) {
    case DataFormat::messages:
    case DataFormat::sharegpt:
      return parse_conversation(row, limits, unused);
    case DataFormat::alpaca:
    case DataFormat::pairs:
      return parse_pair(row, limits, unused);
    case DataFormat::text:
      return parse_text(row, limits, unused);
  }
  return problem("", "unknown format");
}

std::optional<Example> DocumentCutter::finish() {
  if (is_blank(current_.text)) return std::nullopt;
  return std::exchange(current_, {});
}

std::optional<Example> DocumentCutter::add(std::string_view line) {
  ++line_;
  if (current_.text.empty() && is_blank(line)) return std::nullopt;
  if (current_.text.empty()) current_.line = line_;
  current_.text += line;
  const bool is_full =
      (is_blank(line) && current_.text.size() >= kDocumentBytes) || current_.text.size() >= kLongDocumentBytes;
  return is_full ? finish() : std::nullopt;
}

}  // namespace hearth::train
