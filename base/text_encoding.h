// Which encoding bytes are written in, and the same text as UTF-8. UTF-8, UTF-16 and UTF-32 are recognised with
// certainty (a byte order mark, or where the NULs of plain letters lie) and converted; anything else is named in words,
// because a guess between Latin-1 and GB18030 must not change what someone wrote.
//
//   std::string text = TRY(to_utf8(bytes, "stdin"));   // "stdin looks like GB18030, not UTF-8 (...); convert it ..."
//
//   Utf8Reader reader("rows.csv");                     // or piece by piece
//   while (read(piece)) TRY(reader.feed(piece, text));
//   TRY(reader.finish(text));
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth {

enum class TextEncoding : uint8_t { utf8, utf16_le, utf16_be, utf32_le, utf32_be, other };

struct DetectedText {
  TextEncoding encoding = TextEncoding::utf8;
  size_t n_mark_bytes = 0;  // of the byte order mark
  std::string name;         // in words: "UTF-16 (little-endian)", "GB18030", "gzip-compressed data"
  std::string advice;       // the next step for what is not converted; may be empty
  bool is_binary = false;   // no text in any encoding
};

// Looks at the beginning of a text, or at all of it. Nothing but ASCII, and nothing at all, is UTF-8.
DetectedText detect_text(std::string_view beginning, bool is_whole = true);

// The text without its byte order mark. invalid_argument that names `what`, what it looks like and what to do, when the
// bytes are no text, in an encoding that is not certain, or damaged.
Result<std::string> to_utf8(std::string_view bytes, std::string_view what);

// to_utf8() for pieces of any size: the first 4 KiB decide.
class Utf8Reader {
 public:
  explicit Utf8Reader(std::string what) : what_(std::move(what)) {}

  // Appends to `out` what is whole so far.
  Result<void> feed(std::string_view bytes, std::string& out);
  Result<void> finish(std::string& out);
  const DetectedText& detected() const { return detected_; }  // once something came out

 private:
  Result<void> decide(bool is_whole);
  Result<void> convert(bool is_whole, std::string& out);
  Result<size_t> convert_utf8(bool is_whole, std::string& out);
  Result<size_t> convert_wide(bool is_whole, std::string& out);
  Error damaged(std::string_view how) const;
  Error refused() const;

  std::string what_;
  std::string pending_;  // not converted yet
  DetectedText detected_;
  bool is_decided_ = false;
  uint64_t n_lines_ = 0;
};

}  // namespace hearth
