// Rows of a JSON file, one at a time, however they are laid out: an object a line, objects over several lines, one or
// several arrays of objects, arrays and lines in one file, a list of messages as a row. Every row comes out, or what is
// wrong with it: nothing is passed over in silence.
#pragma once

#include <optional>

#include "trainer/data/text_cursor.h"

namespace hearth::train {

struct RawRow {
  std::string text;     // JSON of one row; its syntax is right as far as brackets, commas and colons go
  int line = 0;         // where it begins
  std::string problem;  // instead of text: what is wrong at `line`
};

class JsonRows {
 public:
  JsonRows(TextCursor cursor, uint64_t max_row_bytes) : in_(std::move(cursor)), max_row_bytes_(max_row_bytes) {}

  // False at the end.
  Result<bool> next(RawRow& row);
  // An array was damaged: what stood behind that place was not read.
  bool is_cut() const { return is_cut_; }

 private:
  enum class Damage : uint8_t { none, broken, too_long };
  Damage read_value(std::string& out);
  Damage read_string(std::string& out);
  bool next_in_array(RawRow& row);
  bool begin_array(RawRow& row);
  bool finish_list(RawRow& row);
  bool fail_array(RawRow& row, int line, const std::string& why);
  bool bad(RawRow& row, int line, std::string why);
  void go_to_next_row(int first_line);
  void put(std::string& out, int c);

  TextCursor in_;
  uint64_t max_row_bytes_;
  bool in_array_ = false, is_cut_ = false, wants_comma_ = false, is_too_long_ = false;
  int array_line_ = 0;
  std::string why_;  // of the last damage
};

}  // namespace hearth::train
