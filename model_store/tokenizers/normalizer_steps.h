// The normalizer steps that look at single characters or at Unicode's tables. All take and give valid UTF-8.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth {

enum class UnicodeForm { nfc, nfd, nfkc, nfkd };
Result<std::string> to_unicode_form(std::string text, UnicodeForm form);

std::string to_lower(std::string_view text);
std::string strip_accents(std::string_view text);  // removes marks; decomposes nothing
std::string strip_blanks(std::string_view text, bool left, bool right);
std::string nmt_cleanup(std::string_view text);  // control characters away, odd blanks to U+0020

struct BertCleanup {
  bool clean_text = true, handle_chinese_chars = true, strip_accents = true, lowercase = true;
};
Result<std::string> bert_cleanup(std::string_view text, const BertCleanup& options);

}  // namespace hearth
