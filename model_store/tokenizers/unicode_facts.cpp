// Character properties on ICU, cut down to the Unicode version that the reference tables have.
#include "model_store/tokenizers/unicode_facts.h"

#include <unicode/uchar.h>

#include "base/utf8.h"

namespace hearth {
namespace {

constexpr int kBertUnicode = 8, kMarksUnicode = 9;  // major versions

bool is_of(uint32_t c, uint32_t category_mask, int max_version) {
  auto cp = static_cast<UChar32>(c);
  if ((U_GET_GC_MASK(cp) & category_mask) == 0) return false;
  UVersionInfo age;
  u_charAge(cp, age);
  return age[0] <= max_version;
}
bool in(uint32_t c, uint32_t first, uint32_t last) {
  return c >= first && c <= last;
}

}  // namespace

bool is_white_space(uint32_t c) {
  return u_isUWhiteSpace(static_cast<UChar32>(c));
}

bool is_bert_control(uint32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  return c == 0 || c == 0xFFFD || is_of(c, U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK, kBertUnicode);
}

bool is_bert_blank(uint32_t c) {
  return is_white_space(c);  // the controls among these are gone before
}

bool is_bert_accent(uint32_t c) {
  if (c == 0x111C9) return false;                                     // punctuation then
  if (c == 0x1734 || c == 0x1CF2 || c == 0x1CF3) return c == 0x1734;  // marks that changed their kind
  return is_of(c, U_GC_MN_MASK, kBertUnicode);
}

bool is_bert_punctuation(uint32_t c) {
  if (c < 0x80) return in(c, '!', '/') || in(c, ':', '@') || in(c, '[', '`') || in(c, '{', '~');
  return c == 0x166D || c == 0x111C9 || is_of(c, U_GC_P_MASK, kBertUnicode);
}

bool is_bert_cjk(uint32_t c) {
  return in(c, 0x3400, 0x4DBF) || in(c, 0x4E00, 0x9FFF) || in(c, 0xF900, 0xFAFF) || in(c, 0x20000, 0x2A6DF) ||
         in(c, 0x2A700, 0x2B81F) || in(c, 0x2B920, 0x2CEAF) || in(c, 0x2F800, 0x2FA1F);
}

bool is_combining_mark(uint32_t c) {
  return in(c, 0x1CF2, 0x1CF3) || (c != 0x111C9 && is_of(c, U_GC_M_MASK, kMarksUnicode));
}

bool is_regex_word(uint32_t c) {
  auto cp = static_cast<UChar32>(c);
  return u_hasBinaryProperty(cp, UCHAR_ALPHABETIC) ||
         (U_GET_GC_MASK(cp) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0 ||
         u_hasBinaryProperty(cp, UCHAR_JOIN_CONTROL);
}

void append_lower(uint32_t c, std::string& out) {
  append_utf8(static_cast<uint32_t>(u_tolower(static_cast<UChar32>(c))), out);
  if (c == 0x130) append_utf8(0x307, out);  // the only one that becomes two
}

}  // namespace hearth
