// Text helpers of the template language.
#include "model_store/templates/text.h"

#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/uchar.h>

#include <charconv>
#include <cmath>
#include <cstring>

#include "base/result.h"
#include "base/utf8.h"

namespace hearth::jinja {
namespace {

// The character that ends the text; invalid bytes count as one character each.
Utf8Char last_character(std::string_view text) {
  size_t begin = text.size() - 1;
  while (begin > 0 && text.size() - begin < 4 && (text[begin] & 0xC0) == 0x80) --begin;
  Utf8Char c = decode_utf8(text.substr(begin));
  return c.n_bytes == static_cast<int>(text.size() - begin) ? c : Utf8Char{0xFFFD, 1};
}
Utf8Char first_character(std::string_view text) {
  Utf8Char c = decode_utf8(text);
  return c.n_bytes > 0 ? c : Utf8Char{0xFFFD, 1};
}

template <class Matches>
std::string_view strip_left_if(std::string_view text, Matches matches) {
  while (!text.empty() && matches(text.substr(0, first_character(text).n_bytes)))
    text.remove_prefix(first_character(text).n_bytes);
  return text;
}
template <class Matches>
std::string_view strip_right_if(std::string_view text, Matches matches) {
  while (!text.empty()) {
    int n = last_character(text).n_bytes;
    if (!matches(text.substr(text.size() - n))) break;
    text.remove_suffix(n);
  }
  return text;
}

bool is_space_text(std::string_view character) {
  return is_space(first_character(character).code_point);
}

template <class Map>
std::string mapped(std::string_view text, Map map) {
  std::string out;
  UErrorCode status = U_ZERO_ERROR;
  icu::StringByteSink<std::string> sink(&out, static_cast<int32_t>(text.size()));
  map(text, sink, status);
  return U_SUCCESS(status) ? out : std::string(text);
}

}  // namespace

bool is_space(uint32_t c) {
  return (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::string_view strip_left(std::string_view text) {
  return strip_left_if(text, is_space_text);
}
std::string_view strip_right(std::string_view text) {
  return strip_right_if(text, is_space_text);
}
std::string_view strip_left(std::string_view text, std::string_view set) {
  return strip_left_if(text, [&](std::string_view c) { return set.find(c) != std::string_view::npos; });
}
std::string_view strip_right(std::string_view text, std::string_view set) {
  return strip_right_if(text, [&](std::string_view c) { return set.find(c) != std::string_view::npos; });
}

size_t find_text(std::string_view text, std::string_view what, size_t from) {
  if (from > text.size()) return std::string_view::npos;
  const void* found = memmem(text.data() + from, text.size() - from, what.data(), what.size());
  return found ? static_cast<size_t>(static_cast<const char*>(found) - text.data()) : std::string_view::npos;
}

int64_t count_characters(std::string_view text) {
  int64_t n = 0;
  for (char b : text) n += (b & 0xC0) != 0x80;
  return n;
}

std::string_view characters(std::string_view text, int64_t begin, int64_t end) {
  size_t at = 0;
  auto skip = [&](int64_t n) {
    while (n > 0 && at < text.size()) {
      ++at;
      while (at < text.size() && (text[at] & 0xC0) == 0x80) ++at;
      --n;
    }
  };
  skip(begin);
  size_t first = at;
  skip(end - begin);
  return text.substr(first, at - first);
}

std::vector<std::string_view> split_characters(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    int n = first_character(text).n_bytes;
    out.push_back(text.substr(0, n));
    text.remove_prefix(n);
  }
  return out;
}

// How many bytes of the text's beginning end a line; 0: none.
static size_t line_end_bytes(std::string_view text) {
  if (text.starts_with("\r\n")) return 2;
  const Utf8Char c = first_character(text);
  const bool ends = (c.code_point >= '\n' && c.code_point <= '\r') || (c.code_point >= 0x1C && c.code_point <= 0x1E) ||
                    c.code_point == 0x85 || c.code_point == 0x2028 || c.code_point == 0x2029;
  return ends ? static_cast<size_t>(c.n_bytes) : 0;
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> out;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t n = line_end_bytes(text.substr(at));
    if (n == 0) {
      at += static_cast<size_t>(first_character(text.substr(at)).n_bytes);
      continue;
    }
    out.push_back(text.substr(begin, at - begin + (keep_ends ? n : 0)));
    begin = at += n;
  }
  if (begin < text.size()) out.push_back(text.substr(begin));
  return out;
}

std::string to_lower(std::string_view text) {
  return mapped(text, [](std::string_view t, icu::ByteSink& sink, UErrorCode& s) {
    icu::CaseMap::utf8ToLower("", 0, t, sink, nullptr, s);
  });
}
std::string to_upper(std::string_view text) {
  return mapped(text, [](std::string_view t, icu::ByteSink& sink, UErrorCode& s) {
    icu::CaseMap::utf8ToUpper("", 0, t, sink, nullptr, s);
  });
}

std::string to_case_folded(std::string_view text) {
  return mapped(text, [](std::string_view t, icu::ByteSink& sink, UErrorCode& s) {
    icu::CaseMap::utf8Fold(0, t, sink, nullptr, s);
  });
}

std::string to_capitalized(std::string_view text) {
  if (text.empty()) return {};
  int n = first_character(text).n_bytes;
  return to_upper(text.substr(0, n)) + to_lower(text.substr(n));
}

// A letter after something that is not a letter is upper case, every other lower case.
std::string to_title(std::string_view text) {
  std::string out;
  bool after_letter = false;
  for (std::string_view c : split_characters(text)) {
    out += after_letter ? to_lower(c) : to_upper(c);
    after_letter = u_isalpha(static_cast<UChar32>(first_character(c).code_point));
  }
  return out;
}

std::string real_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[64];
  double magnitude = std::abs(value);
  bool scientific = magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e16);
  auto end = std::to_chars(buffer, buffer + sizeof buffer, value,
                           scientific ? std::chars_format::scientific : std::chars_format::fixed)
                 .ptr;
  std::string out(buffer, end);
  if (!scientific && out.find('.') == std::string::npos) out += ".0";
  return out;
}

static std::string python_quoted(std::string_view text, char quote) {
  std::string out;
  while (!text.empty()) {
    Utf8Char c = first_character(text);
    std::string_view character = text.substr(0, c.n_bytes);
    text.remove_prefix(c.n_bytes);
    if (c.code_point == static_cast<uint32_t>(quote) || c.code_point == '\\')
      out.append("\\").append(character);
    else if (c.code_point == '\n')
      out += "\\n";
    else if (c.code_point == '\r')
      out += "\\r";
    else if (c.code_point == '\t')
      out += "\\t";
    else if (c.code_point < 0x20 || c.code_point == 0x7F || (c.code_point >= 0x80 && c.code_point <= 0xA0) ||
             c.code_point == 0xAD)
      out += fmt::format("\\x{:02x}", c.code_point);
    else if (c.code_point != ' ' && (is_space(c.code_point) || !u_isprint(static_cast<UChar32>(c.code_point))))
      out += c.code_point > 0xFFFF ? fmt::format("\\U{:08x}", c.code_point) : fmt::format("\\u{:04x}", c.code_point);
    else
      out += character;
  }
  return out;
}

static std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&#34;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

Text escape_html(const Text& text) {
  Text out;
  text.for_each_run([&](std::string_view run, bool is_typed) { out.append(escaped(run), is_typed); });
  return out;
}

void append_quoted(const Text& text, Text& out) {
  const std::string& all = text;
  const char quote = all.find('\'') != std::string::npos && all.find('"') == std::string::npos ? '"' : '\'';
  out.append(std::string_view(&quote, 1));
  text.for_each_run(
      [&](std::string_view run, bool is_typed) { out.append(python_quoted(run, quote), is_typed); });
  out.append(std::string_view(&quote, 1));
}

static std::string json_quoted(std::string_view text, bool ascii) {
  std::string out;
  while (!text.empty()) {
    Utf8Char c = first_character(text);
    std::string_view character = text.substr(0, c.n_bytes);
    text.remove_prefix(c.n_bytes);
    switch (c.code_point) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\b':
        out += "\\b";
        break;
      default:
        if (c.code_point < 0x20 || (ascii && c.code_point > 0x7F && c.code_point <= 0xFFFF))
          out += fmt::format("\\u{:04x}", c.code_point);
        else if (ascii && c.code_point > 0xFFFF)
          out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((c.code_point - 0x10000) >> 10),
                             0xDC00 + ((c.code_point - 0x10000) & 0x3FF));
        else
          out += character;
    }
  }
  return out;
}

void append_json_quoted(const Text& text, bool ascii, Text& out) {
  out.append("\"");
  text.for_each_run([&](std::string_view run, bool is_typed) { out.append(json_quoted(run, ascii), is_typed); });
  out.append("\"");
}

}  // namespace hearth::jinja
