// Reads files of examples and says what is wrong with them, row by row. See dataset.h.
#include "trainer/dataset.h"

#include <algorithm>
#include <unordered_set>

#include "base/files.h"
#include "trainer/data/csv_rows.h"
#include "trainer/data/example_formats.h"
#include "trainer/data/json_rows.h"
#include "trainer/random.h"

namespace hearth::train {
namespace {

namespace fs = std::filesystem;

bool is_running_text(const std::string& extension) {
  return extension == ".txt" || extension == ".md";
}
bool is_table(const std::string& extension) {
  return extension == ".csv" || extension == ".tsv";
}
bool is_json(const std::string& extension) {
  return extension == ".jsonl" || extension == ".json" || extension == ".ndjson";
}

std::optional<DataFormat> format_from_name(std::string_view name) {
  for (DataFormat f :
       {DataFormat::messages, DataFormat::alpaca, DataFormat::sharegpt, DataFormat::pairs, DataFormat::text})
    if (format_name(f) == name) return f;
  return std::nullopt;
}

int64_t characters_of(const Example& e) {
  size_t n = e.text.size() + e.tools.size();
  for (const ChatTurn& turn : e.messages) n += turn.content.size() + turn.reasoning.size() + turn.tool_calls.size();
  return static_cast<int64_t>(n);
}

struct ReadOptions {
  std::optional<DataFormat> format;
  int n_preview = 0;
  int64_t stop_after = 0;  // examples; 0: reads all
  const ExampleSink* sink = nullptr;
};

// Reads the files of one dataset into a report and a sink.
class DatasetReader {
 public:
  DatasetReader(const ReadOptions& options, const DataLimits& limits) : options_(options), limits_(limits) {}

  // `name`: the file's for people; `prefix`: before messages, where there are several files.
  Result<void> read(const fs::path& path, const std::string& name, std::string prefix) {
    prefix_ = std::move(prefix);
    format_ = options_.format;  // each file of a folder says for itself what it is
    std::error_code ec;
    const uint64_t bytes = fs::file_size(path, ec);
    if (ec) return errno_error("read", path, ec.value());
    report_.size_bytes += bytes;
    if (report_.size_bytes > limits_.max_file_bytes)
      return error(Code::resource_exhausted, "{} is larger than the limit of {} bytes", name, limits_.max_file_bytes);
    TextCursor cursor(TRY(TextSource::open(path, name, limits_.max_file_bytes)));
    const std::string extension = text_extension(name);
    if (is_running_text(extension)) return read_running_text(std::move(cursor), name);
    if (is_table(extension)) {
      CsvRows rows(std::move(cursor), limits_.max_line_bytes, extension == ".tsv" ? '\t' : '\0');
      TRY(read_rows(rows));
      if (!format_ && report_.problems.empty() && !rows.columns().empty())
        return error(Code::invalid_argument, "{} names columns in its first line, but no row follows", name);
      return {};
    }
    JsonRows rows(std::move(cursor), limits_.max_line_bytes);
    return read_rows(rows);
  }

  void skipped(const std::string& file) { ++unused_["file " + file]; }

  Result<DatasetReport> finish(const std::string& name) {
    if (!any_format_ && report_.n_problems == 0) return error(Code::invalid_argument, "{} is empty", name);
    if (any_format_) return finish_report();
    const DataProblem& first = report_.problems.front();
    const std::string extension = text_extension(name);
    const bool is_known = is_json(extension) || is_table(extension) || is_running_text(extension);
    return error(Code::invalid_argument, "{}: no example found: line {}: {}{}{}{}", name, first.line, first.field,
                 first.field.empty() ? "" : " ", first.message,
                 is_known ? "" : "; name plain text .txt and tables .csv");
  }

 private:
  DatasetReport finish_report() {
    report_.format = *any_format_;
    report_.n_distinct = static_cast<int64_t>(distinct_.size());
    report_.characters = length_stats(std::move(lengths_));
    for (const auto& [key, n] : unused_)
      if (report_.unused_keys.size() < static_cast<size_t>(limits_.max_unused_keys))
        report_.unused_keys.push_back({key, n});
    return std::move(report_);
  }

  bool is_enough() const { return options_.stop_after > 0 && report_.n_examples >= options_.stop_after; }

  bool is_full() const { return report_.problems.size() >= static_cast<size_t>(limits_.max_problems); }

  void add_problem(DataProblem p) {
    ++report_.n_problems;
    if (is_full()) return;
    p.message = prefix_ + p.message;
    report_.problems.push_back(std::move(p));
  }

  Result<void> add_example(Example e) {
    if (++report_.n_examples > limits_.max_examples)
      return error(Code::resource_exhausted, "more than {} examples", limits_.max_examples);
    distinct_.insert(content_hash(e, 0));
    lengths_.push_back(characters_of(e));
    if (report_.preview.size() < static_cast<size_t>(options_.n_preview)) report_.preview.push_back(e);
    return options_.sink ? (*options_.sink)(std::move(e)) : Result<void>();
  }

  template <class Rows>
  Result<void> read_rows(Rows& rows) {
    RawRow row;
    while (!is_enough() && TRY(rows.next(row))) {
      if (!row.problem.empty())
        add_problem({row.line, "", std::move(row.problem)});
      else
        TRY(add_row(row));
    }
    report_.is_cut = report_.is_cut || rows.is_cut();
    return {};
  }

  Result<void> add_row(const RawRow& row) {
    if (!is_utf8(row.text)) {
      add_problem({row.line, "", is_full() ? "" : not_utf8(row.text)});
      return {};
    }
    auto json = parse_row(row.text);
    if (auto* syntax = std::get_if<DataProblem>(&json)) {
      syntax->line = row.line;
      add_problem(std::move(*syntax));
      return {};
    }
    const RowJson& object = std::get<RowJson>(json);
    if (!format_) format_ = detect_format(object);
    if (!format_) {
      add_problem({row.line, "", why_no_format(object)});
      return {};
    }
    if (!any_format_) any_format_ = format_;
    auto parsed = parse_example(object, *format_, limits_, unused_);
    if (auto* problem = std::get_if<DataProblem>(&parsed)) {
      problem->line = row.line;
      add_problem(std::move(*problem));
      return {};
    }
    Example& example = std::get<Example>(parsed);
    example.line = row.line;
    return add_example(std::move(example));
  }

  Result<void> add_document(std::optional<Example> document) {
    if (!document) return {};
    if (is_utf8(document->text)) return add_example(std::move(*document));
    add_problem({document->line, "", is_full() ? "" : "the document that begins here " + not_utf8(document->text)});
    return {};
  }

  Result<void> read_running_text(TextCursor cursor, const std::string& name) {
    if (format_ && *format_ != DataFormat::text)
      return error(Code::invalid_argument, "{} is running text, but the format is {}", name, format_name(*format_));
    format_ = DataFormat::text;
    if (!any_format_) any_format_ = format_;
    DocumentCutter documents;
    std::string line;
    for (int c = cursor.get(); c != TextCursor::kEnd && !is_enough(); c = cursor.get()) {
      if (c == '\r') continue;
      line += static_cast<char>(c);
      if (c != '\n' && line.size() < limits_.max_line_bytes) continue;
      TRY(add_document(documents.add(line)));
      line.clear();
    }
    TRY(cursor.status());
    if (!line.empty()) TRY(add_document(documents.add(line)));
    return add_document(documents.finish());
  }

  const ReadOptions options_;
  const DataLimits limits_;
  std::optional<DataFormat> format_;      // of the present file
  std::optional<DataFormat> any_format_;  // the first one met
  std::string prefix_;
  KeyCounts unused_;
  std::unordered_set<uint64_t> distinct_;
  std::vector<int64_t> lengths_;
  DatasetReport report_;
};

// The files of a folder that are data, in order of name; the others are told to the reader.
Result<std::vector<fs::path>> files_of(const fs::path& folder, const DataLimits& limits, DatasetReader& reader) {
  std::vector<fs::path> out;
  std::error_code ec;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    const std::string extension = text_extension(it->path());
    if (!it->is_regular_file(ec) || !(is_running_text(extension) || is_json(extension) || is_table(extension))) {
      reader.skipped(it->path().filename().string());
      continue;
    }
    out.push_back(it->path());
    if (out.size() > static_cast<size_t>(limits.max_files))
      return error(Code::resource_exhausted, "{} holds more than {} files", folder.string(), limits.max_files);
  }
  if (ec) return errno_error("list", folder, ec.value());
  if (out.empty())
    return error(Code::not_found, "{} holds no .jsonl, .json, .csv, .tsv, .txt or .md file", folder.string());
  std::sort(out.begin(), out.end());
  return out;
}

Result<DatasetReport> read(const fs::path& path, std::string_view format, ReadOptions options, const DataLimits& limits,
                           std::string_view name) {
  options.format = format_from_name(format);
  if (!options.format && format != "auto" && !format.empty())
    return error(Code::invalid_argument, "unknown data format \"{}\"; known: {}", format, kFormatNames);
  DatasetReader reader(options, limits);
  const std::string label = name.empty() ? path.filename().string() : std::string(name);
  std::error_code ec;
  if (fs::is_directory(path, ec)) {
    for (const fs::path& file : TRY(files_of(path, limits, reader))) {
      const std::string file_name = file.filename().string();
      TRY_WITH(reader.read(file, file_name, file_name + ": "), "while reading {}", file.string());
    }
  } else {
    TRY_WITH(reader.read(path, label, ""), "while reading the dataset");
  }
  return reader.finish(label);
}

}  // namespace

std::string_view format_name(DataFormat format) {
  switch (format) {
    case DataFormat::messages:
      return "messages";
    case DataFormat::alpaca:
      return "alpaca";
    case DataFormat::sharegpt:
      return "sharegpt";
    case DataFormat::pairs:
      return "pairs";
    case DataFormat::text:
      return "text";
  }
  return "unknown";
}

LengthStats length_stats(std::vector<int64_t> lengths) {
  if (lengths.empty()) return {};
  std::sort(lengths.begin(), lengths.end());
  return {lengths[(lengths.size() - 1) / 2], lengths[(lengths.size() - 1) * 95 / 100], lengths.back()};
}

uint64_t content_hash(const Example& e, uint64_t seed) {
  uint64_t h = hash64(e.text, seed);
  if (!e.tools.empty()) h = hash64(e.tools, h);
  if (!e.variables.empty()) h = hash64(e.variables, h);
  for (const ChatTurn& turn : e.messages) {
    h = hash64(turn.content, hash64(turn.role, h));
    if (!turn.reasoning.empty()) h = hash64(turn.reasoning, h + 1);
    if (!turn.tool_calls.empty()) h = hash64(turn.tool_calls, h + 2);
    if (!turn.name.empty()) h = hash64(turn.name, h + 3);
    if (!turn.is_learned) h = mix64(h + 4);
  }
  return h;
}

Result<DatasetReport> inspect_dataset(const fs::path& path, std::string_view format, int n_preview,
                                      const DataLimits& limits, std::string_view name) {
  return read(path, format, {.n_preview = n_preview}, limits, name);
}

Result<DatasetReport> read_examples(const fs::path& path, std::string_view format, const ExampleSink& sink,
                                    const DataLimits& limits, std::string_view name) {
  return read(path, format, {.sink = &sink}, limits, name);
}

Result<Dataset> read_dataset(const fs::path& path, std::string_view format, const DataLimits& limits,
                             std::string_view name) {
  Dataset out;
  const ExampleSink keep = [&](Example e) -> Result<void> {
    out.examples.push_back(std::move(e));
    return {};
  };
  out.report = TRY(read_examples(path, format, keep, limits, name));
  return out;
}

Result<std::vector<Example>> first_examples(const fs::path& path, std::string_view format, int n,
                                            std::string_view name) {
  return TRY(read(path, format, {.n_preview = n, .stop_after = n}, {}, name)).preview;
}

std::string unused_keys_in_words(const std::vector<UnusedKey>& keys) {
  if (keys.empty()) return {};
  std::string out = "not used: ";
  for (const UnusedKey& key : keys)
    out += fmt::format("{}{} ({} times)", &key == keys.data() ? "" : ", ", key.name, key.n_rows);
  return out;
}

}  // namespace hearth::train
