// Normalizer steps on ICU.
#include "model_store/tokenizers/normalizer_steps.h"

#include <unicode/bytestream.h>
#include <unicode/uniset.h>

#include <unicode/normalizer2.h>
#include <array>

#include "base/utf8.h"
#include "model_store/tokenizers/unicode_facts.h"

namespace hearth {
namespace {

// Calls `take(code_point, bytes)` for every character.
template <class Take>
void for_each_character(std::string_view text, Take take) {
  while (!text.empty()) {
    Utf8Char c = decode_utf8(text);
    size_t n = c.n_bytes > 0 ? static_cast<size_t>(c.n_bytes) : 1;
    take(c.code_point, text.substr(0, n));
    text.remove_prefix(n);
  }
}

template <class Keep>
std::string filter(std::string_view text, Keep keep) {
  std::string out;
  out.reserve(text.size());
  for_each_character(text, [&](uint32_t c, std::string_view bytes) {
    if (keep(c)) out += bytes;
  });
  return out;
}

// Characters newer than Unicode 12 stay as they are, as in the reference implementation.
const icu::Normalizer2* older_characters_only(const icu::Normalizer2* form) {
  UErrorCode status = U_ZERO_ERROR;
  static const auto* kOld = new icu::UnicodeSet(icu::UnicodeString("[:Age=12.0:]"), status);
  return U_SUCCESS(status) ? new icu::FilteredNormalizer2(*form, *kOld) : nullptr;
}

const icu::Normalizer2* find_form(UnicodeForm form) {
  static const auto* kForms = [] {
    auto* out = new std::array<const icu::Normalizer2*, 4>();
    UErrorCode status = U_ZERO_ERROR;
    const char* data[] = {"nfc", "nfc", "nfkc", "nfkc"};
    for (int i = 0; i < 4; ++i) {
      auto mode = i % 2 == 0 ? UNORM2_COMPOSE : UNORM2_DECOMPOSE;
      const auto* full = icu::Normalizer2::getInstance(nullptr, data[i], mode, status);
      (*out)[i] = U_SUCCESS(status) && full ? older_characters_only(full) : nullptr;
    }
    return out;
  }();
  return (*kForms)[static_cast<size_t>(form)];
}

}  // namespace

Result<std::string> to_unicode_form(std::string text, UnicodeForm form) {
  const icu::Normalizer2* normalizer = find_form(form);
  if (!normalizer) return error(Code::internal, "Unicode normalisation data is missing");
  bool is_ascii = true;
  for (char b : text) is_ascii &= (b & 0x80) == 0;
  if (is_ascii) return text;
  UErrorCode status = U_ZERO_ERROR;
  std::string out;
  icu::StringByteSink<std::string> sink(&out, static_cast<int32_t>(text.size()));
  normalizer->normalizeUTF8(0, text, sink, nullptr, status);
  if (U_FAILURE(status)) return error(Code::internal, "Unicode normalisation failed: {}", u_errorName(status));
  return out;
}

std::string to_lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for_each_character(text, [&](uint32_t c, std::string_view) { append_lower(c, out); });
  return out;
}

std::string strip_accents(std::string_view text) {
  return filter(text, [](uint32_t c) { return !is_combining_mark(c); });
}

std::string strip_blanks(std::string_view text, bool left, bool right) {
  while (left && !text.empty()) {
    Utf8Char c = decode_utf8(text);
    if (c.n_bytes == 0 || !is_white_space(c.code_point)) break;
    text.remove_prefix(c.n_bytes);
  }
  while (right && !text.empty()) {
    size_t begin = text.size() - 1;
    while (begin > 0 && (text[begin] & 0xC0) == 0x80) --begin;
    Utf8Char c = decode_utf8(text.substr(begin));
    if (c.n_bytes == 0 || !is_white_space(c.code_point)) break;
    text = text.substr(0, begin);
  }
  return std::string(text);
}

std::string nmt_cleanup(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for_each_character(text, [&](uint32_t c, std::string_view bytes) {
    bool is_gone = (c >= 0x1 && c <= 0x8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F;
    bool is_blank = c == 0x9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 || (c >= 0x200B && c <= 0x200F) ||
                    c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
    if (is_blank)
      out += ' ';
    else if (!is_gone)
      out += bytes;
  });
  return out;
}

Result<std::string> bert_cleanup(std::string_view text, const BertCleanup& options) {
  std::string out;
  out.reserve(text.size());
  for_each_character(text, [&](uint32_t c, std::string_view bytes) {
    if (options.clean_text && is_bert_control(c)) return;
    if (options.clean_text && is_bert_blank(c))
      out += ' ';
    else if (options.handle_chinese_chars && is_bert_cjk(c))
      out.append(" ").append(bytes).append(" ");
    else
      out += bytes;
  });
  if (options.strip_accents)
    out = filter(TRY(to_unicode_form(std::move(out), UnicodeForm::nfd)), [](uint32_t c) { return !is_bert_accent(c); });
  return options.lowercase ? to_lower(out) : out;
}

}  // namespace hearth
