// Rows of a CSV or TSV file as JSON objects: the first line names the columns. Quoted cells may hold separators, line
// breaks and doubled quotes (RFC 4180); the separator is what the first line has: comma, semicolon, tab or |.
#pragma once

#include <vector>

#include "trainer/data/json_rows.h"

namespace hearth::train {

class CsvRows {
 public:
  // `separator`: 0: the one that the first line has.
  CsvRows(TextCursor cursor, uint64_t max_row_bytes, char separator)
      : in_(std::move(cursor)), max_row_bytes_(max_row_bytes), separator_(separator) {}

  // False at the end. Empty lines are passed over.
  Result<bool> next(RawRow& row);
  const std::vector<std::string>& columns() const { return columns_; }  // after the first next()
  bool is_cut() const { return false; }

 private:
  struct Record {
    std::vector<std::string> cells;
    int line = 0;
    std::string problem;
  };
  bool read(Record& record);
  bool read_cell(std::string& cell, Record& record);
  Result<void> read_columns();

  TextCursor in_;
  uint64_t max_row_bytes_;
  char separator_;  // 0: not known yet
  std::vector<std::string> columns_;
  size_t n_bytes_ = 0;  // of the present record
};

}  // namespace hearth::train
