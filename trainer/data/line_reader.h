// Lines of a file, one at a time, with limits. Takes away a byte-order mark, CR before LF, and nothing else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/files.h"

namespace hearth::train {

class LineReader {
 public:
  static Result<LineReader> open(const std::filesystem::path& path, uint64_t max_line_bytes);

  // The next line, without its end. False at the end of the file. A line over the limit is skipped to its end and comes
  // out empty, with too_long() set.
  Result<bool> next(std::string& line);
  int line_number() const { return line_number_; }  // of the line that next() gave, 1-based
  bool too_long() const { return too_long_; }

 private:
  LineReader(Fd fd, std::filesystem::path path, uint64_t max_line_bytes)
      : fd_(std::move(fd)), path_(std::move(path)), max_line_bytes_(max_line_bytes) {}
  Result<bool> fill();

  Fd fd_;
  std::filesystem::path path_;
  uint64_t max_line_bytes_;
  std::string buffer_;
  size_t at_ = 0;
  int line_number_ = 0;
  bool too_long_ = false;
};

bool is_utf8(std::string_view text);  // well-formed: no overlong forms, no surrogates, at most U+10FFFF

}  // namespace hearth::train
