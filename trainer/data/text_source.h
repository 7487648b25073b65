// The text of a file as UTF-8, piece by piece: decompressed (gzip, zstd, bzip2, xz) and converted (UTF-16, UTF-32) on
// the way. What is no text is named, with what to do. Text in an encoding of single bytes comes out as it is: the
// reader of lines says which ones are not UTF-8.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/text_encoding.h"

namespace hearth::train {

class TextSource {
 public:
  // `name`: what people call the file. More than max_bytes of text is resource_exhausted.
  static Result<TextSource> open(const std::filesystem::path& path, const std::string& name, uint64_t max_bytes);
  TextSource(TextSource&&) noexcept;
  ~TextSource();

  // The next piece; false at the end.
  Result<bool> read(std::string& piece);

 private:
  class Bytes;
  TextSource(std::unique_ptr<Bytes> bytes, std::string name, uint64_t max_bytes);
  Result<void> begin();

  std::unique_ptr<Bytes> bytes_;
  std::string name_;
  uint64_t max_bytes_, n_bytes_ = 0;
  std::string first_;               // read to find out what it is
  std::optional<Utf8Reader> wide_;  // of UTF-16 and UTF-32
  bool is_over_ = false;
};

bool is_utf8(std::string_view text);
// What is wrong with text that is not UTF-8: what it looks like, and what to do.
std::string not_utf8(std::string_view text);

// "rows.csv.gz" → ".csv", in lower case.
std::string text_extension(const std::filesystem::path& name);

}  // namespace hearth::train
