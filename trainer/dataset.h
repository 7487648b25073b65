// Datasets: files of examples, read, checked and previewed. Knows no tokenizer: trainer/data/encode.h turns examples
// into tokens.
//
// Rows are JSON objects (one a line, over several lines, or in arrays), the lines of a CSV or TSV file, or plain text:
//   messages   {"messages": [{"role": "system|user|assistant|tool", "content": "...", "tool_calls": [...]}, ...],
//               "tools": [...]}; or a bare list of messages
//   sharegpt   {"conversations": [{"from": "human|gpt|system", "value": "..."}, ...]}
//   alpaca     {"instruction": "...", "input": "...", "output": "...", "history": [["question", "answer"], ...]}
//   pairs      {"prompt": "...", "completion": "..."}, question/answer, instruction/response, input/output; the two may
//              be lists of messages
//   text       {"text": "..."}; or a .txt or .md file, cut into documents at blank lines
// Keys are understood by what they are called, not by the format's name: from/value in messages, role/content in
// conversations. A key that changes what a row means and cannot be honoured makes the row a problem; a key that nobody
// knows is counted in DatasetReport::unused_keys.
//
//   DatasetReport report = TRY(inspect_dataset("questions.jsonl", "auto"));
//   for (const DataProblem& p : report.problems) print(p.line, p.field, p.message);
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/training_records.h"

namespace hearth::train {

enum class DataFormat { messages, alpaca, sharegpt, pairs, text };
std::string_view format_name(DataFormat format);
inline constexpr std::string_view kFormatNames = "auto, messages, alpaca, sharegpt, pairs, text";

struct ChatTurn {
  std::string role, content;  // role: system | user | assistant | tool
  std::string reasoning;      // an assistant's: what it thought before it answered
  std::string tool_calls;     // an assistant's: JSON array, arguments as objects; empty: none
  std::string name;           // who speaks, or which tool answered
  std::string tool_call_id;   // a tool's: which call it answers
  bool is_learned = true;     // an assistant's: training looks at this answer
  bool operator==(const ChatTurn&) const = default;
};

struct Example {
  std::vector<ChatTurn> messages;  // a conversation, whatever format it came in; empty for plain text
  std::string text;                // plain text; empty for conversations
  std::string tools;               // JSON array of the tools offered; empty: none
  std::string variables;           // JSON object of further template variables; empty: none
  int line = 0;                    // where it begins, 1-based
  bool operator==(const Example&) const = default;
};

// Equal for examples that are equal but for their place.
uint64_t content_hash(const Example& example, uint64_t seed);

struct DataProblem {
  int line = 0;       // 1-based
  std::string field;  // "messages[2].role"; empty when the row as a whole is wrong
  std::string message;
};

struct DataLimits {
  uint64_t max_file_bytes = uint64_t{4} << 30;  // of the files, and of the text in them when they are compressed
  uint64_t max_line_bytes = uint64_t{4} << 20;  // of one row
  int64_t max_examples = 5'000'000;
  int max_turns = 1000;
  int max_problems = 20;  // kept in a report; all are counted
  int max_unused_keys = 50;
  int max_files = 10'000;  // of a folder
};

struct DatasetReport {
  DataFormat format = DataFormat::messages;
  uint64_t size_bytes = 0;
  int64_t n_examples = 0;  // usable ones
  int64_t n_distinct = 0;  // different ones among them
  int64_t n_problems = 0;
  bool is_cut = false;                 // a file is damaged in a way that hides what follows
  std::vector<DataProblem> problems;   // the first max_problems
  std::vector<UnusedKey> unused_keys;  // and files of a folder that are no data
  LengthStats characters;              // of an example's text
  std::vector<Example> preview;        // the first examples
  bool valid() const { return n_examples > 0 && n_problems == 0; }
};

struct Dataset {
  DatasetReport report;
  std::vector<Example> examples;
};

// `path`: .jsonl, .json, .csv, .tsv, .txt, .md, each also compressed (.gz, .zst, .bz2, .xz); or a folder of them (read
// in order of name). `format`: auto or a format's name; auto decides by the keys of a file's first row. `name`: what
// people call the file where `path` is another name (a blob); it is the one in messages, and its extension counts.
// UTF-16 and UTF-32 are converted; a byte-order mark and CRLF are tolerated.
// Problems in rows are in the report; an Error is a file that cannot be read or is no dataset at all.
Result<DatasetReport> inspect_dataset(const std::filesystem::path& path, std::string_view format, int n_preview = 5,
                                      const DataLimits& limits = {}, std::string_view name = {});

// The same, handing out one example after another; nothing is kept. An error of the sink ends the reading.
using ExampleSink = std::function<Result<void>(Example)>;
Result<DatasetReport> read_examples(const std::filesystem::path& path, std::string_view format, const ExampleSink& sink,
                                    const DataLimits& limits = {}, std::string_view name = {});
Result<Dataset> read_dataset(const std::filesystem::path& path, std::string_view format, const DataLimits& limits = {},
                             std::string_view name = {});

// The first examples; reads no further.
Result<std::vector<Example>> first_examples(const std::filesystem::path& path, std::string_view format, int n,
                                            std::string_view name = {});

LengthStats length_stats(std::vector<int64_t> lengths);

// "not used: source (100 rows), messages[].id (200 rows)"; empty when there are none.
std::string unused_keys_in_words(const std::vector<UnusedKey>& keys);

}  // namespace hearth::train
