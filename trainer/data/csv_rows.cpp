// See csv_rows.h.
#include "trainer/data/csv_rows.h"

#include <algorithm>
#include <set>

#include "base/json.h"

namespace hearth::train {

constexpr std::string_view kSeparators = ",;\t|";

// Reads one cell, up to the separator or the end of the line. False: the record is over.
bool CsvRows::read_cell(std::string& cell, Record& record) {
  const bool is_quoted = in_.peek() == '"';
  const int line = in_.line();
  if (is_quoted) in_.get();
  for (bool in_quotes = is_quoted;;) {
    const int c = in_.get();
    if (c == TextCursor::kEnd) {
      if (in_quotes) record.problem = fmt::format("the quote that opens in line {} is never closed", line);
      return false;
    }
    if (++n_bytes_ > max_row_bytes_)
      record.problem = fmt::format("is longer than the limit of {} bytes", max_row_bytes_);
    if (in_quotes) {
      in_quotes = c != '"' || in_.peek() == '"';
      if (c == '"' && in_quotes) in_.get();
      if (in_quotes && record.problem.empty()) cell += static_cast<char>(c);
      continue;
    }
    if (c == '\n') return false;
    if (c == '\r' && in_.peek() == '\n') continue;
    // The first line says what separates.
    if (separator_ == 0 && kSeparators.find(static_cast<char>(c)) != std::string_view::npos)
      separator_ = static_cast<char>(c);
    if (separator_ != 0 && c == separator_) return true;
    if (is_quoted) {
      record.problem = fmt::format(
          "text follows the closing quote of a cell in line {}; a quote in a cell is written twice", in_.line());
      continue;
    }
    if (record.problem.empty()) cell += static_cast<char>(c);
  }
}

// The next record that is not an empty line; false at the end.
bool CsvRows::read(Record& record) {
  for (;;) {
    if (in_.peek() == TextCursor::kEnd) return false;
    record = {{}, in_.line(), ""};
    n_bytes_ = 0;
    for (bool more = true; more;) {
      std::string cell;
      more = read_cell(cell, record);
      record.cells.push_back(std::move(cell));
    }
    if (record.cells.size() > 1 || !record.cells[0].empty() || !record.problem.empty()) return true;
  }
}

Result<void> CsvRows::read_columns() {
  Record first;
  if (!read(first)) return {};
  for (const std::string& cell : first.cells)
    if (!is_utf8(cell)) first.problem = not_utf8(cell);
  if (!first.problem.empty()) return error(Code::invalid_argument, "line {}: {}", first.line, first.problem);
  if (separator_ == 0) separator_ = ',';  // one column
  std::set<std::string> seen;
  for (std::string& name : first.cells) {
    const size_t begin = std::min(name.find_first_not_of(" \t"), name.size());
    name = name.substr(begin, name.find_last_not_of(" \t") + 1 - begin);
    if (!name.empty() && !seen.insert(name).second)
      return error(Code::invalid_argument, "line {}: two columns have the name \"{}\"", first.line, name);
  }
  columns_ = std::move(first.cells);
  return {};
}

Result<bool> CsvRows::next(RawRow& row) {
  if (columns_.empty()) TRY(read_columns());
  TRY(in_.status());
  Record record;
  const bool is_there = read(record);
  TRY(in_.status());
  if (!is_there) return false;
  if (record.problem.empty() && record.cells.size() != columns_.size())
    record.problem = fmt::format(
        "has {} cells, the first line names {} columns; cells with separators or line breaks stand in quotes",
        record.cells.size(), columns_.size());
  for (const std::string& cell : record.cells)
    if (record.problem.empty() && !is_utf8(cell)) record.problem = not_utf8(cell);
  row = {"", record.line, record.problem};
  if (!record.problem.empty()) return true;
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (size_t i = 0; i < columns_.size(); ++i)
    if (!columns_[i].empty() && !record.cells[i].empty()) object[columns_[i]] = std::move(record.cells[i]);
  row.text = object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::strict);
  return true;
}

}  // namespace hearth::train
