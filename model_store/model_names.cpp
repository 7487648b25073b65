// Safe names and names for people. Unicode is ICU's business.
#include "model_store/model_names.h"

#include <unicode/normalizer2.h>
#include <unicode/translit.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cctype>

#include "model_store/digest.h"

namespace hearth::store {
namespace {

constexpr size_t kMaxModelName = 64;     // a Unix socket path holds 107 bytes, folder included
constexpr size_t kMaxDisplayName = 200;  // bytes
constexpr size_t kMaxText = 4096;
constexpr size_t kHashDigits = 8;
// Of files that are named where a model's name may stand, and of signatures' tags in a pack.
constexpr std::string_view kFileEndings[] = {".gguf", ".safetensors", ".toml", ".jinja", ".sig"};

bool is_ascii_letter_or_digit(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}
bool is_name_char(char c) {
  return is_ascii_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
}
bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string lower_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string_view file_ending(std::string_view name) {
  const std::string lowered = lower_ascii(name);
  for (std::string_view ending : kFileEndings)
    if (lowered.ends_with(ending)) return ending;
  return "";
}

// Files of these names cannot be made on a stick that is carried to Windows.
bool is_device_name(std::string_view name) {
  const std::string stem = lower_ascii(name.substr(0, name.find('.')));
  if (stem == "con" || stem == "prn" || stem == "aux" || stem == "nul") return true;
  return stem.size() == 4 && (stem.starts_with("com") || stem.starts_with("lpt")) && stem[3] >= '1' && stem[3] <= '9';
}

std::string shown_name(std::string_view name) {
  std::string out;
  for (char c : name.substr(0, 80)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return name.size() > 80 ? out + "..." : out;
}

std::string to_utf8(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return out;
}
icu::UnicodeString from_utf8(std::string_view text) {
  return icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
}

icu::UnicodeString composed(const icu::UnicodeString& text) {
  UErrorCode failed = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(failed);
  icu::UnicodeString out = U_SUCCESS(failed) ? nfc->normalize(text, failed) : text;
  return U_SUCCESS(failed) ? out : text;
}

// Joiners stay: Persian and emoji are written with them.
bool is_shown(UChar32 c) {
  if (c == 0x200C || c == 0x200D) return true;
  switch (u_charType(c)) {
    case U_CONTROL_CHAR:
    case U_FORMAT_CHAR:
    case U_SURROGATE:
    case U_PRIVATE_USE_CHAR:
    case U_UNASSIGNED:
      return false;
    default:
      return true;
  }
}

// Cuts between characters.
std::string cut_between_characters(std::string text, size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  text.resize(limit);
  return text;
}

std::string to_latin(std::string_view text) {
  UErrorCode failed = U_ZERO_ERROR;
  static thread_local const std::unique_ptr<icu::Transliterator> latin(
      icu::Transliterator::createInstance("Any-Latin; Latin-ASCII", UTRANS_FORWARD, failed));
  icu::UnicodeString out = from_utf8(text);
  if (latin) latin->transliterate(out);
  return to_utf8(out);
}

void trim_end(std::string& name) {
  while (!name.empty() && !is_ascii_letter_or_digit(name.back()) && name.back() != '_') name.pop_back();
}

// Letters, digits, dots, underscores, and one dash for everything between them.
std::string reduce(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (is_name_char(c) && (!out.empty() || is_ascii_letter_or_digit(c)))
      out += c;
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  trim_end(out);
  for (std::string_view ending = file_ending(out); !ending.empty(); ending = file_ending(out)) {
    out.resize(out.size() - ending.size());
    trim_end(out);
  }
  if (out.empty()) return "model";
  return is_device_name(out) ? "model-" + out : out;
}

std::string what_is_seen(std::string_view text) {
  const icu::UnicodeString whole = composed(from_utf8(text));
  icu::UnicodeString out;
  for (int32_t i = 0; i < whole.length(); i = whole.moveIndex32(i, 1))
    if (!u_hasBinaryProperty(whole.char32At(i), UCHAR_DEFAULT_IGNORABLE_CODE_POINT)) out.append(whole.char32At(i));
  return to_utf8(out);
}

std::string with_hash(std::string_view base, std::string_view hashed) {
  std::string out(base.substr(0, kMaxModelName - kHashDigits - 1));
  trim_end(out);
  return (out.empty() ? "model" : out) + "-" + Digest::of(hashed).hex().substr(0, kHashDigits);
}

}  // namespace

Result<void> check_model_name(std::string_view name) {
  const bool good = !name.empty() && name.size() <= kMaxModelName && is_ascii_letter_or_digit(name[0]) &&
                    std::all_of(name.begin(), name.end(), is_name_char) && name.back() != '.';
  if (!good)
    return error(
        Code::invalid_argument,
        "\"{}\" cannot be a model's name: use 1 to {} letters, digits, '.', '_' or '-', beginning with a letter "
        "or digit and not ending with a dot",
        shown_name(name), kMaxModelName);
  if (const std::string_view ending = file_ending(name); !ending.empty())
    return error(Code::invalid_argument,
                 "\"{}\" cannot be a model's name: it would be taken for a {} file; leave the "
                 "ending out",
                 shown_name(name), ending);
  if (is_device_name(name))
    return error(Code::invalid_argument, "\"{}\" cannot be a model's name: Windows gives that name to a device",
                 shown_name(name));
  return {};
}

std::string display_name_of(std::string_view text) {
  const icu::UnicodeString whole = composed(from_utf8(text.substr(0, kMaxText)));
  icu::UnicodeString out;
  for (int32_t i = 0; i < whole.length(); i = whole.moveIndex32(i, 1)) {
    const UChar32 c = whole.char32At(i);
    const bool is_space = u_isUWhiteSpace(c) != 0 || u_charType(c) == U_CONTROL_CHAR;
    if (is_space && !out.isEmpty() && out[out.length() - 1] != u' ') out.append(u' ');
    if (!is_space && is_shown(c)) out.append(c);
  }
  std::string line = cut_between_characters(to_utf8(out), kMaxDisplayName);
  while (line.ends_with(' ')) line.pop_back();
  return what_is_seen(line).empty() ? "" : line;
}

bool same_display_name(std::string_view a, std::string_view b) {
  return what_is_seen(a) == what_is_seen(b);
}

std::string make_model_name(std::string_view text) {
  if (check_model_name(text)) return std::string(text);
  const std::string display = display_name_of(text);
  const bool was_ascii = is_ascii(display);
  const std::string name = reduce(was_ascii ? display : to_latin(display));
  const bool loses = !was_ascii || name.size() > kMaxModelName || text.size() > kMaxText;
  return loses ? with_hash(name, what_is_seen(display)) : name;
}

std::string make_distinct_model_name(std::string_view text, std::string_view salt) {
  const std::string display = display_name_of(text);
  const std::string name = reduce(is_ascii(display) ? display : to_latin(display));
  return with_hash(name, what_is_seen(display) + "\n" + std::string(salt));
}

Result<std::string> requested_model_name(std::string_view text) {
  const std::string display = display_name_of(text);
  if (is_ascii(text) || display.empty()) {
    TRY(check_model_name(text));
    return std::string(text);
  }
  return make_model_name(display);
}

}  // namespace hearth::store
