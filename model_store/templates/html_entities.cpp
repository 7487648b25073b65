// By the rules of HTML 5: the names of Latin-1 need no semicolon, and numbers may be written wrongly.
#include "model_store/templates/html_entities.h"

#include <algorithm>

#include "base/utf8.h"

namespace hearth::jinja {
namespace {

// From U+00A0 on.
constexpr std::string_view kLatin[] = {
    "nbsp",   "iexcl",  "cent",   "pound",  "curren", "yen",    "brvbar", "sect",   "uml",    "copy",   "ordf",
    "laquo",  "not",    "shy",    "reg",    "macr",   "deg",    "plusmn", "sup2",   "sup3",   "acute",  "micro",
    "para",   "middot", "cedil",  "sup1",   "ordm",   "raquo",  "frac14", "frac12", "frac34", "iquest", "Agrave",
    "Aacute", "Acirc",  "Atilde", "Auml",   "Aring",  "AElig",  "Ccedil", "Egrave", "Eacute", "Ecirc",  "Euml",
    "Igrave", "Iacute", "Icirc",  "Iuml",   "ETH",    "Ntilde", "Ograve", "Oacute", "Ocirc",  "Otilde", "Ouml",
    "times",  "Oslash", "Ugrave", "Uacute", "Ucirc",  "Uuml",   "Yacute", "THORN",  "szlig",  "agrave", "aacute",
    "acirc",  "atilde", "auml",   "aring",  "aelig",  "ccedil", "egrave", "eacute", "ecirc",  "euml",   "igrave",
    "iacute", "icirc",  "iuml",   "eth",    "ntilde", "ograve", "oacute", "ocirc",  "otilde", "ouml",   "divide",
    "oslash", "ugrave", "uacute", "ucirc",  "uuml",   "yacute", "thorn",  "yuml"};
constexpr std::pair<std::string_view, char> kPlain[] = {{"amp", '&'}, {"AMP", '&'}, {"lt", '<'},   {"LT", '<'},
                                                        {"gt", '>'},  {"GT", '>'},  {"quot", '"'}, {"QUOT", '"'}};

// Windows-1252 where numbers name control characters.
constexpr uint32_t kWindows[32] = {0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                   0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,   0x017D, 0x8F,
                                   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                   0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

bool is_control(uint32_t c) {
  return (c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || (c >= 0x7F && c <= 0x9F) ||
         (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE;
}

void append_number(uint32_t c, std::string& out) {
  if (c == 0 || (c >= 0xD800 && c <= 0xDFFF) || c > 0x10FFFF)
    out += kReplacementCharacter;
  else if (c == 0x0D)
    out += '\r';
  else if (c >= 0x80 && c < 0xA0)
    append_utf8(kWindows[c - 0x80], out);
  else if (!is_control(c))
    append_utf8(c, out);
}

// "#233;" or "#xE9;" at the beginning; how many bytes it takes, 0: it is none.
size_t number_at(std::string_view text, std::string& out) {
  const bool is_hex = text.size() > 2 && (text[1] | 32) == 'x';
  size_t at = is_hex ? 2 : 1;
  const size_t begin = at;
  uint64_t value = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    const int digit = c >= '0' && c <= '9'                           ? c - '0'
                      : is_hex && (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                                     : -1;
    if (digit < 0) break;
    value = std::min<uint64_t>(value * (is_hex ? 16 : 10) + static_cast<uint64_t>(digit), 0x110000);
  }
  if (at == begin) return 0;
  append_number(static_cast<uint32_t>(value), out);
  return at + (at < text.size() && text[at] == ';' ? 1 : 0);
}

// The longest known name at the beginning.
size_t name_at(std::string_view text, std::string& out) {
  size_t longest = 0;
  uint32_t character = 0;
  auto consider = [&](std::string_view name, uint32_t c) {
    if (text.starts_with(name) && name.size() > longest) {
      longest = name.size();
      character = c;
    }
  };
  for (size_t i = 0; i < std::size(kLatin); ++i) consider(kLatin[i], static_cast<uint32_t>(0xA0 + i));
  consider("COPY", 0xA9);
  consider("REG", 0xAE);
  for (const auto& [name, c] : kPlain) consider(name, static_cast<uint32_t>(c));
  if (text.starts_with("apos;")) {
    longest = 4;
    character = '\'';
  }
  if (longest == 0) return 0;
  append_utf8(character, out);
  return longest + (longest < text.size() && text[longest] == ';' ? 1 : 0);
}

// Letters and digits up to a semicolon: a name that may be one of those that are not known here.
size_t unknown_name_bytes(std::string_view text) {
  size_t at = 0;
  auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  while (at < text.size() && at < 32 && is_letter(text[at])) ++at;
  return at > 0 && at < text.size() && text[at] == ';' ? at : 0;
}

}  // namespace

Result<std::string> unescape_html(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t at = std::min(text.find('&'), text.size());
    out += text.substr(0, at);
    text.remove_prefix(at);
    if (text.empty()) break;
    const std::string_view rest = text.substr(1);
    size_t n = rest.starts_with('#') ? number_at(rest, out) : 0;
    const size_t n_name = unknown_name_bytes(rest);
    std::string character;
    if (n == 0) {
      n = name_at(rest, character);
      if (n_name > 0 && n != n_name + 1)
        return error(Code::unimplemented, "the entity \"&{};\" is not known here", rest.substr(0, n_name));
      out += character;
    }
    if (n == 0) out += '&';
    text.remove_prefix(1 + n);
  }
  return out;
}

}  // namespace hearth::jinja
