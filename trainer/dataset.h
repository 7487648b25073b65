// Datasets: files of examples, read, checked and previewed. Knows no tokenizer: trainer/data/encode.h turns examples
// into tokens.
//
// Formats, one JSON object a line (JSONL), or plain text:
//   messages   {"messages": [{"role": "system|user|assistant", "content": "..."}, ...]}
//   alpaca     {"instruction": "...", "input": "...", "output": "..."}
//   sharegpt   {"conversations": [{"from": "human|gpt|system", "value": "..."}, ...]}
//   text       {"text": "..."}; or a .txt or .md file, cut into documents at blank lines
//
//   DatasetReport report = TRY(inspect_dataset("questions.jsonl", "auto"));
//   for (const DataProblem& p : report.problems) print(p.line, p.field, p.message);
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth::train {

enum class DataFormat { messages, alpaca, sharegpt, text };
std::string_view format_name(DataFormat format);

struct ChatTurn {
  std::string role, content;  // role: system | user | assistant
  bool operator==(const ChatTurn&) const = default;
};

struct Example {
  std::vector<ChatTurn> messages;  // a conversation, whatever format it came in; empty for plain text
  std::string text;                // plain text; empty for conversations
  int line = 0;                    // where it begins, 1-based
  bool operator==(const Example&) const = default;
};

struct DataProblem {
  int line = 0;       // 1-based
  std::string field;  // "messages[2].role"; empty when the line as a whole is wrong
  std::string message;
};

struct DataLimits {
  uint64_t max_file_bytes = uint64_t{4} << 30;
  uint64_t max_line_bytes = uint64_t{4} << 20;
  int64_t max_examples = 5'000'000;
  int max_turns = 1000;
  int max_problems = 20;  // kept in a report; all are counted
  int max_files = 10'000; // of a folder
};

struct DatasetReport {
  DataFormat format = DataFormat::messages;
  uint64_t size_bytes = 0;
  int64_t n_examples = 0;  // usable ones
  int64_t n_problems = 0;
  std::vector<DataProblem> problems;  // the first max_problems
  std::vector<Example> preview;       // the first examples
  bool valid() const { return n_examples > 0 && n_problems == 0; }
};

struct Dataset {
  DatasetReport report;
  std::vector<Example> examples;
};

// `path`: .jsonl, .json (JSONL inside), .txt, .md, or a folder of them (read in order of name). `format`: auto or a
// format's name; auto decides by the first object's keys. `name`: the file's name where `path` has no telling extension
// (a blob); empty: path's own. Byte-order mark and CRLF are tolerated; text must be UTF-8.
// Problems in examples are in the report; an Error is a file that cannot be read or is no dataset at all.
Result<DatasetReport> inspect_dataset(const std::filesystem::path& path, std::string_view format, int n_preview = 5,
                                      const DataLimits& limits = {}, std::string_view name = {});
Result<Dataset> read_dataset(const std::filesystem::path& path, std::string_view format, const DataLimits& limits = {},
                             std::string_view name = {});

}  // namespace hearth::train
