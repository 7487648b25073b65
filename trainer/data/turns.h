// Messages of a conversation under all the names that datasets give their parts. Used by the formats.
#pragma once

#include "trainer/data/example_formats.h"

namespace hearth::train {

inline DataProblem problem(std::string field, std::string message) {
  return {0, std::move(field), std::move(message)};
}
inline bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos;
}

// object[key]; null when it is absent, null, or an empty list, object or text.
const RowJson* value_of(const RowJson& object, const std::string& key);
// A list or object; a text that spells one (as in a CSV cell) is parsed. Null when it is neither.
std::optional<RowJson> structure_of(const RowJson& value);

// Reads the messages of one row. The first problem stays.
class TurnReader {
 public:
  TurnReader(const DataLimits& limits, KeyCounts& unused) : limits_(limits), unused_(unused) {}

  // `path`: the name of the list. `is_learned`: answers in it are.
  void read_list(const RowJson& list, const std::string& path, bool is_learned, std::vector<ChatTurn>& out);
  // false or 0: not learned; true or 1: learned. Anything else is a problem. Nothing when there is no such key.
  std::optional<bool> learn_flag(const RowJson& object, const std::string& path);
  // tools or functions, as a list of {"type": "function", "function": {...}}.
  std::string read_tools(const RowJson& tools, const std::string& path);
  // [["question", "answer"], ...]
  void read_history(const RowJson& history, std::vector<ChatTurn>& out);
  // A key whose presence cannot be honoured.
  void refuse(const RowJson& object, const std::string& path);
  void count_unused(const RowJson& object, const std::string& path, bool (*is_known)(std::string_view));

  const std::optional<DataProblem>& bad() const { return bad_; }
  void fail(std::string field, std::string message) {
    if (!bad_) bad_ = problem(std::move(field), std::move(message));
  }

 private:
  void read_turn(const RowJson& item, const std::string& path, bool is_learned, std::vector<ChatTurn>& out);
  std::string read_content(const RowJson& item, const std::string& path, std::string& reasoning);
  std::string read_reasoning(const RowJson& item, const std::string& path);
  void read_calls(const RowJson& item, const std::string& path, ChatTurn& turn);
  RowJson read_call(const RowJson& call, const std::string& path);
  void read_tool_answer(const RowJson& item, ChatTurn& turn);
  RowJson read_arguments(const RowJson& arguments, const std::string& path);

  const DataLimits& limits_;
  KeyCounts& unused_;
  std::optional<DataProblem> bad_;
  std::vector<std::pair<std::string, std::string>> open_calls_;  // id and name of calls without an answer yet
  int n_calls_ = 0;
};

// What every conversation must be.
std::optional<DataProblem> check_conversation(const std::vector<ChatTurn>& turns, const std::string& path);

}  // namespace hearth::train
