// Detection in the order of certainty: a byte order mark, valid UTF-8, NULs where wide encodings have them, the
// beginnings of well-known files, and at last ICU's statistics, which only choose the name in an error message.
#include "base/text_encoding.h"

#include <unicode/uchar.h>
#include <unicode/ucsdet.h>

#include <algorithm>
#include <compare>
#include <memory>
#include <optional>

#include "base/utf8.h"

namespace hearth {
namespace {

constexpr size_t kSampleBytes = 4096;
constexpr size_t kGuessBytes = size_t{64} << 10;  // for ICU
using namespace std::string_view_literals;

int unit_bytes(TextEncoding e) {
  return e == TextEncoding::utf16_le || e == TextEncoding::utf16_be ? 2 : 4;
}

uint32_t unit_at(std::string_view bytes, size_t at, TextEncoding e) {
  const int n = unit_bytes(e);
  const bool little = e == TextEncoding::utf16_le || e == TextEncoding::utf32_le;
  uint32_t unit = 0;
  for (int i = 0; i < n; ++i)
    unit = unit << 8 | static_cast<uint8_t>(bytes[at + static_cast<size_t>(little ? n - 1 - i : i)]);
  return unit;
}

struct WideChar {
  uint32_t code_point = 0;
  size_t n_bytes = 0;  // 0: more bytes are needed
  bool is_valid = false;
};

WideChar wide_char(std::string_view bytes, size_t at, TextEncoding e) {
  const auto n = static_cast<size_t>(unit_bytes(e));
  if (at + n > bytes.size()) return {};
  const uint32_t first = unit_at(bytes, at, e);
  if (first < 0xD800 || first > 0xDFFF) return {first, n, first <= 0x10FFFF};
  if (n == 4 || first >= 0xDC00) return {first, n, false};
  if (at + 4 > bytes.size()) return {};
  const uint32_t second = unit_at(bytes, at + 2, e);
  if (second < 0xDC00 || second > 0xDFFF) return {first, n, false};
  return {0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00), 4, true};
}

// What text holds: no control characters but the usual ones, nothing unassigned or for private use.
bool is_text(uint32_t c) {
  if (c < 0x20) return c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == 0x1B;
  const int8_t type = u_charType(static_cast<UChar32>(c));
  return type != U_UNASSIGNED && type != U_PRIVATE_USE_CHAR && (type != U_CONTROL_CHAR || c == 0x85);
}

// How well the bytes read without a mark: blanks and line ends, then other ASCII, as there are in any script.
struct Plausibility {
  size_t n_blanks = 0, n_ascii = 0;
  auto operator<=>(const Plausibility&) const = default;
};

std::optional<Plausibility> reads_as(std::string_view bytes, TextEncoding e, bool is_whole) {
  Plausibility out;
  size_t n = 0;
  for (size_t at = 0; at < bytes.size(); ++n) {
    const WideChar c = wide_char(bytes, at, e);
    if (c.n_bytes == 0 && is_whole) return std::nullopt;
    if (c.n_bytes == 0) break;
    if (!c.is_valid || !is_text(c.code_point)) return std::nullopt;
    out.n_blanks += c.code_point == ' ' || c.code_point == '\n' || c.code_point == '\r' || c.code_point == '\t';
    out.n_ascii += c.code_point < 0x80;
    at += c.n_bytes;
  }
  if (out.n_ascii == 0 || out.n_ascii * 100 < n) return std::nullopt;
  return out;
}

// The one wide encoding that the bytes read best in; utf8 when none does, or two do alike.
TextEncoding wide_encoding(std::string_view bytes, bool is_whole) {
  TextEncoding best = TextEncoding::utf8;
  Plausibility most;
  for (TextEncoding e :
       {TextEncoding::utf32_le, TextEncoding::utf32_be, TextEncoding::utf16_le, TextEncoding::utf16_be}) {
    const Plausibility found = reads_as(bytes, e, is_whole).value_or(Plausibility());
    if (found == Plausibility() || found < most) continue;
    best = found == most ? TextEncoding::utf8 : e;
    most = found;
  }
  return best;
}

constexpr std::pair<std::string_view, TextEncoding> kMarks[] = {
    {"\xEF\xBB\xBF"sv, TextEncoding::utf8},     {"\xFF\xFE\0\0"sv, TextEncoding::utf32_le},
    {"\0\0\xFE\xFF"sv, TextEncoding::utf32_be}, {"\xFF\xFE"sv, TextEncoding::utf16_le},
    {"\xFE\xFF"sv, TextEncoding::utf16_be},
};

constexpr std::pair<TextEncoding, std::string_view> kNames[] = {
    {TextEncoding::utf8, "UTF-8"},
    {TextEncoding::utf16_le, "UTF-16 (little-endian)"},
    {TextEncoding::utf16_be, "UTF-16 (big-endian)"},
    {TextEncoding::utf32_le, "UTF-32 (little-endian)"},
    {TextEncoding::utf32_be, "UTF-32 (big-endian)"},
};

DetectedText known(TextEncoding e, size_t n_mark_bytes = 0) {
  for (const auto& [encoding, name] : kNames)
    if (encoding == e) return {e, n_mark_bytes, std::string(name), {}, false};
  return {};
}

struct FileKind {
  std::string_view beginning, name, advice;
};
constexpr std::string_view kUnpack = "unpack it first";
constexpr std::string_view kSaveAsText = "save it as plain text in UTF-8";
constexpr FileKind kFileKinds[] = {
    {"\x1F\x8B"sv, "gzip-compressed data", kUnpack},
    {"BZh"sv, "bzip2-compressed data", kUnpack},
    {"\xFD"
     "7zXZ\0"sv,
     "xz-compressed data", kUnpack},
    {"\x28\xB5\x2F\xFD"sv, "zstd-compressed data", kUnpack},
    {"7z\xBC\xAF\x27\x1C"sv, "a 7z archive", kUnpack},
    {"Rar!\x1A\x07"sv, "a RAR archive", kUnpack},
    {"PK\x03\x04"sv, "a ZIP archive or an office document (xlsx, docx, odt)",
     "unpack it, or save it as plain text in UTF-8"},
    {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, "an old office document (xls, doc)", kSaveAsText},
    {"%PDF-"sv, "a PDF document", kSaveAsText},
    {"{\\rtf"sv, "an RTF document", kSaveAsText},
    {"PAR1"sv, "a Parquet table", "write it as JSON Lines or CSV in UTF-8"},
    {"ARROW1"sv, "an Arrow table", "write it as JSON Lines or CSV in UTF-8"},
    {"SQLite format 3\0"sv, "an SQLite database", "write its rows as JSON Lines or CSV in UTF-8"},
    {"\x89PNG\r\n\x1A\n"sv, "a PNG image", ""},
    {"\xFF\xD8\xFF"sv, "a JPEG image", ""},
    {"GIF8"sv, "a GIF image", ""},
    {"\x7F"
     "ELF"sv,
     "a program", ""},
    {"GGUF"sv, "a GGUF model", ""},
};

DetectedText other(std::string_view name, std::string_view advice, bool is_binary = false) {
  return {TextEncoding::other, 0, std::string(name), std::string(advice), is_binary};
}

std::optional<DetectedText> file_kind(std::string_view bytes) {
  for (const FileKind& kind : kFileKinds)
    if (bytes.starts_with(kind.beginning)) return other(kind.name, kind.advice, true);
  return std::nullopt;
}

// ICU's best guess that is no Unicode encoding; empty: none.
std::string guessed_name(std::string_view bytes) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UCharsetDetector, void (*)(UCharsetDetector*)> detector(ucsdet_open(&status), ucsdet_close);
  if (U_FAILURE(status)) return {};
  ucsdet_setText(detector.get(), bytes.data(), static_cast<int32_t>(std::min(bytes.size(), kGuessBytes)), &status);
  int32_t n = 0;
  const UCharsetMatch** matches = ucsdet_detectAll(detector.get(), &n, &status);
  for (int32_t i = 0; U_SUCCESS(status) && i < n; ++i) {
    std::string name = ucsdet_getName(matches[i], &status);
    if (U_SUCCESS(status) && !name.starts_with("UTF-")) return name;
  }
  return {};
}

// Mostly valid UTF-8 with characters beyond ASCII: damaged rather than in another encoding.
bool is_damaged_utf8(std::string_view bytes) {
  size_t n_wide = 0, n_bad = 0;
  for (size_t at = 0; at < bytes.size();) {
    const Utf8Char c = decode_utf8(bytes.substr(at));
    n_bad += c.n_bytes == 0;
    n_wide += c.n_bytes > 1;
    at += static_cast<size_t>(std::max(1, c.n_bytes));
  }
  return n_wide > 0 && n_bad * 10 <= n_wide;
}

DetectedText eight_bits(std::string_view bytes) {
  if (is_damaged_utf8(bytes)) return other("damaged UTF-8", "mend it, or write it anew as UTF-8");
  const std::string guess = guessed_name(bytes);
  if (guess.empty())
    return other("text in an encoding of single bytes, such as Windows-1252", "convert it to UTF-8 first");
  return other(guess, fmt::format("if it is, convert it first: iconv -f {} -t UTF-8", guess));
}

// Is the end of a sample no more than the beginning of a character?
bool is_utf8(std::string_view bytes, bool is_whole) {
  const size_t n = valid_utf8_prefix(bytes);
  return n == bytes.size() || (!is_whole && is_utf8_beginning(bytes.substr(n)));
}

}  // namespace

DetectedText detect_text(std::string_view bytes, bool is_whole) {
  for (const auto& [mark, encoding] : kMarks)
    if (bytes.starts_with(mark)) return known(encoding, mark.size());
  if (auto kind = file_kind(bytes)) return *kind;
  const bool has_nul = bytes.find('\0') != std::string_view::npos;
  if (!has_nul && is_utf8(bytes, is_whole)) return known(TextEncoding::utf8);
  if (has_nul)
    if (const TextEncoding wide = wide_encoding(bytes, is_whole); wide != TextEncoding::utf8) return known(wide);
  if (has_nul) return other("binary data", "text has no NUL bytes", true);
  return eight_bits(bytes);
}

Result<std::string> to_utf8(std::string_view bytes, std::string_view what) {
  std::string out;
  Utf8Reader reader{std::string(what)};
  TRY(reader.feed(bytes, out));
  TRY(reader.finish(out));
  return out;
}

Result<void> Utf8Reader::feed(std::string_view bytes, std::string& out) {
  pending_ += bytes;
  if (!is_decided_ && pending_.size() < kSampleBytes) return {};
  TRY(decide(false));
  return convert(false, out);
}

Result<void> Utf8Reader::finish(std::string& out) {
  TRY(decide(true));
  return convert(true, out);
}

Result<void> Utf8Reader::decide(bool is_whole) {
  if (is_decided_) return {};
  detected_ = detect_text(pending_, is_whole);
  if (detected_.encoding == TextEncoding::other) return refused();
  is_decided_ = true;
  pending_.erase(0, detected_.n_mark_bytes);
  return {};
}

Result<void> Utf8Reader::convert(bool is_whole, std::string& out) {
  const size_t before = out.size();
  const size_t n =
      detected_.encoding == TextEncoding::utf8 ? TRY(convert_utf8(is_whole, out)) : TRY(convert_wide(is_whole, out));
  n_lines_ += static_cast<uint64_t>(std::count(out.begin() + static_cast<ptrdiff_t>(before), out.end(), '\n'));
  if (out.find('\0', before) != std::string::npos)
    return error(Code::invalid_argument, "{} is no text: there is a NUL before line {}", what_, n_lines_ + 2);
  pending_.erase(0, n);
  return {};
}

// How much of `pending_` was converted.
Result<size_t> Utf8Reader::convert_utf8(bool is_whole, std::string& out) {
  const size_t n = valid_utf8_prefix(pending_);
  const std::string_view rest = std::string_view(pending_).substr(n);
  out.append(pending_, 0, n);
  if (rest.empty() || (!is_whole && is_utf8_beginning(rest))) return n;
  n_lines_ += static_cast<uint64_t>(std::count(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(n), '\n'));
  // After a sample of ASCII, the first byte of another encoding.
  if (detected_.n_mark_bytes == 0) {
    const DetectedText tail = eight_bits(pending_);
    if (!tail.name.starts_with("damaged"))
      return error(Code::invalid_argument, "{} looks like {}, not UTF-8 (byte 0x{:02X} in line {}); {}", what_,
                   tail.name, static_cast<uint8_t>(rest[0]), n_lines_ + 1, tail.advice);
  }
  return damaged(fmt::format("byte 0x{:02X} begins no character", static_cast<uint8_t>(rest[0])));
}

Result<size_t> Utf8Reader::convert_wide(bool is_whole, std::string& out) {
  size_t at = 0;
  while (at < pending_.size()) {
    const WideChar c = wide_char(pending_, at, detected_.encoding);
    if (c.n_bytes == 0 && !is_whole) break;
    if (c.n_bytes == 0) return damaged("it ends within a character");
    if (!c.is_valid) return damaged(fmt::format("0x{:X} is no character", c.code_point));
    append_utf8(c.code_point, out);
    at += c.n_bytes;
  }
  return at;
}

Error Utf8Reader::damaged(std::string_view how) const {
  return error(Code::invalid_argument, "{} is {}, but damaged near line {}: {}", what_, detected_.name, n_lines_ + 1,
               how);
}

Error Utf8Reader::refused() const {
  const size_t n = valid_utf8_prefix(pending_);
  const std::string where =
      n < pending_.size()
          ? fmt::format(" (byte 0x{:02X} in line {})", static_cast<uint8_t>(pending_[n]),
                        1 + std::count(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(n), '\n'))
          : "";
  return error(Code::invalid_argument, "{} looks like {}, not UTF-8 text{}{}{}", what_, detected_.name, where,
               detected_.advice.empty() ? "" : "; ", detected_.advice);
}

}  // namespace hearth
