// Charsmap: walking the double array, and the two ways of applying it.
#include "model_store/tokenizers/charsmap.h"

#include <unicode/brkiter.h>
#include <unicode/utext.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/utf8.h"

namespace hearth {
namespace {

constexpr size_t kMaxGraphemeBytes = 6;

// A unit of the double array: bits 0-7 label, bit 8 "a value hangs here", bit 9 scale of the offset, bits 10-30 offset,
// bit 31 "this is a value" (bits 0-30).
bool has_value(uint32_t unit) {
  return unit >> 8 & 1;
}
uint32_t value_of(uint32_t unit) {
  return unit & 0x7FFFFFFF;
}
uint32_t label_of(uint32_t unit) {
  return unit & 0x800000FF;
}
uint32_t offset_of(uint32_t unit) {
  return (unit >> 10) << ((unit & 0x200) >> 6);
}

}  // namespace

Result<Charsmap> Charsmap::parse(std::string_view blob) {
  uint32_t n_trie = 0;
  if (blob.size() < 4 || blob.size() > kMaxBytes)
    return error(Code::invalid_argument, "a character map has {} bytes; it must have 4 to {}", blob.size(), kMaxBytes);
  std::memcpy(&n_trie, blob.data(), 4);
  if (n_trie % 4 != 0 || n_trie == 0 || n_trie > blob.size() - 4)
    return error(Code::invalid_argument, "the character map's trie is said to have {} bytes of {}", n_trie,
                 blob.size() - 4);
  Charsmap out;
  out.units_.resize(n_trie / 4);
  std::memcpy(out.units_.data(), blob.data() + 4, n_trie);
  out.strings_ = std::string(blob.substr(4 + n_trie));
  return out;
}

Charsmap::Found Charsmap::find(std::string_view text, bool longest) const {
  Found out;
  size_t node = offset_of(units_[0]);
  for (size_t i = 0; i < text.size() && text[i] != '\0'; ++i) {
    auto byte = static_cast<uint8_t>(text[i]);
    node ^= byte;
    if (node >= units_.size() || label_of(units_[node]) != byte) break;
    uint32_t unit = units_[node];
    node ^= offset_of(unit);
    if (!has_value(unit)) continue;
    if (node >= units_.size()) break;
    size_t begin = value_of(units_[node]);
    if (begin > strings_.size()) break;
    size_t end = std::min(strings_.find('\0', begin), strings_.size());
    out = {i + 1, std::string_view(strings_).substr(begin, end - begin)};
    if (!longest) break;
  }
  return out;
}

std::string Charsmap::replace_longest(std::string_view text) const {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    Found found = find(text, /*longest=*/true);
    size_t n = found.n_bytes;
    if (n > 0) {
      out += found.replacement;
    } else {
      n = std::max(1, decode_utf8(text).n_bytes);
      out += text.substr(0, n);
    }
    text.remove_prefix(n);
  }
  return out;
}

void Charsmap::replace_grapheme(std::string_view grapheme, std::string& out) const {
  if (grapheme.size() < kMaxGraphemeBytes)
    if (Found found = find(grapheme, false); found.n_bytes > 0) {
      out += found.replacement;
      return;
    }
  while (!grapheme.empty()) {
    size_t n = std::max(1, decode_utf8(grapheme).n_bytes);
    std::string_view character = grapheme.substr(0, n);
    Found found = find(character, false);
    out += found.n_bytes > 0 ? found.replacement : character;
    grapheme.remove_prefix(n);
  }
}

std::string Charsmap::replace_graphemes(std::string_view text) const {
  std::string out;
  out.reserve(text.size());
  auto is_plain = [&](size_t at) {
    return at >= text.size() || (static_cast<uint8_t>(text[at]) < 0x80 && text[at] != '\n');
  };
  UErrorCode status = U_ZERO_ERROR;
  std::unique_ptr<icu::BreakIterator> breaks;
  for (size_t at = 0; at < text.size();) {
    // Two ASCII characters in a row never join (CR LF apart), and most text is such.
    if (is_plain(at) && is_plain(at + 1)) {
      replace_grapheme(text.substr(at, 1), out);
      ++at;
      continue;
    }
    if (!breaks) {
      UText whole = UTEXT_INITIALIZER;
      utext_openUTF8(&whole, text.data(), static_cast<int64_t>(text.size()), &status);
      breaks.reset(icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
      if (U_SUCCESS(status)) breaks->setText(&whole, status);
      utext_close(&whole);
    }
    size_t end = U_SUCCESS(status) ? static_cast<size_t>(breaks->following(static_cast<int32_t>(at))) : text.size();
    if (end <= at || end > text.size()) end = text.size();
    replace_grapheme(text.substr(at, end - at), out);
    at = end;
  }
  return out;
}

}  // namespace hearth
