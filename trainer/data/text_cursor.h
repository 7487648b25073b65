// One character of a text at a time, with the line it stands in.
#pragma once

#include "trainer/data/text_source.h"

namespace hearth::train {

class TextCursor {
 public:
  explicit TextCursor(TextSource source) : source_(std::move(source)) {}

  static constexpr int kEnd = -1;
  // The next character, kEnd at the end. An error of reading is the end too: see status().
  int peek() {
    if (at_ == piece_.size() && !fill()) return kEnd;
    return static_cast<unsigned char>(piece_[at_]);
  }
  int get() {
    const int c = peek();
    if (c == kEnd) return c;
    ++at_;
    column_ = c == '\n' ? 0 : column_ + 1;
    line_ += c == '\n';
    return c;
  }
  int line() const { return line_; }  // of the next character, 1-based
  bool begins_line() const { return column_ == 0; }
  const Result<void>& status() const { return status_; }

  void skip_blanks() {
    for (int c = peek(); c == ' ' || c == '\t' || c == '\r' || c == '\n'; c = peek()) get();
  }
  // To the beginning of the next line.
  void skip_line() {
    for (int c = get(); c != kEnd && c != '\n';) c = get();
  }

 private:
  bool fill();

  TextSource source_;
  std::string piece_;
  size_t at_ = 0;
  int line_ = 1;
  int64_t column_ = 0;
  Result<void> status_;
};

}  // namespace hearth::train
