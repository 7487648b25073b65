// Reads files of examples and says what is wrong with them, line by line. See dataset.h.
#include "trainer/dataset.h"

#include <algorithm>
#include <functional>

#include "base/files.h"
#include "base/json.h"
#include "trainer/data/example_formats.h"
#include "trainer/data/line_reader.h"

namespace hearth::train {
namespace {

namespace fs = std::filesystem;
constexpr uint64_t kMaxArrayBytes = uint64_t{512} << 20;  // a JSON array is read whole
constexpr uint64_t kMaxTextBytes = uint64_t{512} << 20;   // and so is running text

std::string lower_extension(const fs::path& path) {
  std::string out = path.extension().string();
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}
bool is_running_text(const std::string& extension) { return extension == ".txt" || extension == ".md"; }
bool is_json(const std::string& extension) { return extension == ".jsonl" || extension == ".json"; }

std::optional<DataFormat> format_from_name(std::string_view name) {
  for (DataFormat f : {DataFormat::messages, DataFormat::alpaca, DataFormat::sharegpt, DataFormat::text})
    if (format_name(f) == name) return f;
  return std::nullopt;
}

// Reads the files of one dataset into a report and a sink.
class DatasetReader {
 public:
  DatasetReader(std::optional<DataFormat> format, int n_preview, const DataLimits& limits, std::vector<Example>* sink)
      : wanted_(format), format_(format), n_preview_(n_preview), limits_(limits), sink_(sink) {}

  Result<void> read(const fs::path& path, const std::string& extension, std::string prefix) {
    prefix_ = std::move(prefix);
    if (!wanted_) format_.reset();  // each file of a folder says for itself what it is
    std::error_code ec;
    const uint64_t bytes = fs::file_size(path, ec);
    if (ec) return errno_error("read", path, ec.value());
    report_.size_bytes += bytes;
    if (report_.size_bytes > limits_.max_file_bytes)
      return error(Code::resource_exhausted, "{} is larger than the limit of {} bytes", path.string(), limits_.max_file_bytes);
    if (is_running_text(extension)) return read_running_text(path);
    if (TRY(begins_with_bracket(path))) return read_array(path);
    return read_lines(path);
  }

  Result<DatasetReport> finish(const fs::path& path) {
    if (!any_format_ && report_.n_problems == 0) return error(Code::invalid_argument, "{} is empty", path.string());
    if (!any_format_)
      return error(Code::invalid_argument, "{}: no example found: line {}: {}", path.string(), report_.problems.front().line,
                   report_.problems.front().message);
    report_.format = *any_format_;
    return std::move(report_);
  }

 private:
  void add_problem(DataProblem p) {
    ++report_.n_problems;
    if (report_.problems.size() >= static_cast<size_t>(limits_.max_problems)) return;
    p.message = prefix_ + p.message;
    report_.problems.push_back(std::move(p));
  }

  Result<void> add_example(Example e) {
    if (++report_.n_examples > limits_.max_examples)
      return error(Code::resource_exhausted, "more than {} examples", limits_.max_examples);
    if (report_.preview.size() < static_cast<size_t>(n_preview_)) report_.preview.push_back(e);
    if (sink_) sink_->push_back(std::move(e));
    return {};
  }

  Result<void> add_json(std::string_view text, int line) {
    if (!is_utf8(text)) {
      add_problem({line, "", "is not valid UTF-8"});
      return {};
    }
    auto json = parse_json(text);
    if (!json) {
      add_problem({line, "", json.error().message});
      return {};
    }
    if (!format_) format_ = detect_format(*json);
    if (!format_) {
      add_problem({line, "", "has none of the keys messages, conversations, instruction or text: the format cannot be told"});
      return {};
    }
    if (!any_format_) any_format_ = format_;
    auto parsed = parse_example(*json, *format_, limits_);
    if (auto* bad = std::get_if<DataProblem>(&parsed)) {
      bad->line = line;
      add_problem(std::move(*bad));
      return {};
    }
    Example& example = std::get<Example>(parsed);
    example.line = line;
    return add_example(std::move(example));
  }

  Result<bool> begins_with_bracket(const fs::path& path) {
    LineReader lines = TRY(LineReader::open(path, limits_.max_line_bytes));
    std::string line;
    while (TRY(lines.next(line)))
      if (const size_t at = line.find_first_not_of(" \t"); at != std::string::npos) return line[at] == '[';
    return false;
  }

  Result<void> read_lines(const fs::path& path) {
    LineReader lines = TRY(LineReader::open(path, limits_.max_line_bytes));
    std::string line;
    while (TRY(lines.next(line))) {
      if (lines.too_long())
        add_problem({lines.line_number(), "", fmt::format("is longer than the limit of {} bytes", limits_.max_line_bytes)});
      else if (line.find_first_not_of(" \t") != std::string::npos)
        TRY(add_json(line, lines.line_number()));
    }
    return {};
  }

  Result<void> read_array(const fs::path& path) {
    const std::string text = TRY(read_file(path, kMaxArrayBytes));
    for (const ArrayElement& element : split_json_array(text)) {
      if (element.text.size() > limits_.max_line_bytes)
        add_problem({element.line, "", fmt::format("is longer than the limit of {} bytes", limits_.max_line_bytes)});
      else
        TRY(add_json(element.text, element.line));
    }
    return {};
  }

  Result<void> read_running_text(const fs::path& path) {
    if (format_ && *format_ != DataFormat::text)
      return error(Code::invalid_argument, "{} is running text, but the format is {}", path.string(), format_name(*format_));
    format_ = DataFormat::text;
    if (!any_format_) any_format_ = format_;
    std::string text = TRY(read_file(path, kMaxTextBytes));
    if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
    std::erase(text, '\r');
    for (Example& document : split_documents(text)) {
      if (is_utf8(document.text))
        TRY(add_example(std::move(document)));
      else
        add_problem({document.line, "", "the document that begins here is not valid UTF-8"});
    }
    return {};
  }

  const std::optional<DataFormat> wanted_;
  std::optional<DataFormat> format_;      // of the present file
  std::optional<DataFormat> any_format_;  // the first one met
  int n_preview_;
  DataLimits limits_;
  std::vector<Example>* sink_;
  std::string prefix_;
  DatasetReport report_;
};

Result<std::vector<fs::path>> files_of(const fs::path& folder, const DataLimits& limits) {
  std::vector<fs::path> out;
  std::error_code ec;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    const std::string extension = lower_extension(it->path());
    if (!it->is_regular_file(ec) || !(is_running_text(extension) || is_json(extension))) continue;
    out.push_back(it->path());
    if (out.size() > static_cast<size_t>(limits.max_files))
      return error(Code::resource_exhausted, "{} holds more than {} files", folder.string(), limits.max_files);
  }
  if (ec) return errno_error("list", folder, ec.value());
  if (out.empty()) return error(Code::not_found, "{} holds no .jsonl, .json, .txt or .md file", folder.string());
  std::sort(out.begin(), out.end());
  return out;
}

Result<DatasetReport> read(const fs::path& path, std::string_view format, int n_preview, const DataLimits& limits,
                           std::string_view name, std::vector<Example>* sink) {
  const std::optional<DataFormat> wanted = format_from_name(format);
  if (!wanted && format != "auto" && !format.empty())
    return error(Code::invalid_argument, "unknown data format \"{}\"; known: auto, messages, alpaca, sharegpt, text", format);
  DatasetReader reader(wanted, n_preview, limits, sink);
  std::error_code ec;
  if (fs::is_directory(path, ec)) {
    for (const fs::path& file : TRY(files_of(path, limits)))
      TRY_WITH(reader.read(file, lower_extension(file), file.filename().string() + ": "), "while reading {}", file.string());
  } else {
    TRY_WITH(reader.read(path, lower_extension(name.empty() ? path : fs::path(name)), ""), "while reading the dataset");
  }
  return reader.finish(path);
}

}  // namespace

std::string_view format_name(DataFormat format) {
  switch (format) {
    case DataFormat::messages: return "messages";
    case DataFormat::alpaca: return "alpaca";
    case DataFormat::sharegpt: return "sharegpt";
    case DataFormat::text: return "text";
  }
  return "unknown";
}

Result<DatasetReport> inspect_dataset(const fs::path& path, std::string_view format, int n_preview, const DataLimits& limits,
                                      std::string_view name) {
  return read(path, format, n_preview, limits, name, nullptr);
}

Result<Dataset> read_dataset(const fs::path& path, std::string_view format, const DataLimits& limits, std::string_view name) {
  Dataset out;
  out.report = TRY(read(path, format, 0, limits, name, &out.examples));
  return out;
}

}  // namespace hearth::train
