// A SentencePiece character map ("precompiled_charsmap"): a double-array trie of replacements, as one blob.
// All of it is untrusted; every index is checked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth {

class Charsmap {
 public:
  static constexpr size_t kMaxBytes = size_t{16} << 20;
  static Result<Charsmap> parse(std::string_view blob);

  // SentencePiece's own way: the longest replacement at every place.
  std::string replace_longest(std::string_view text) const;
  // The way of Hugging Face's library: the shortest replacement that begins a user-visible character of under six bytes
  // replaces all of it; otherwise each code point is looked up.
  std::string replace_graphemes(std::string_view text) const;

 private:
  struct Found {
    size_t n_bytes = 0;  // 0: nothing begins here
    std::string_view replacement;
  };
  Found find(std::string_view text, bool longest) const;
  void replace_grapheme(std::string_view grapheme, std::string& out) const;

  std::vector<uint32_t> units_;
  std::string strings_;  // replacements, each ended by a zero byte
};

}  // namespace hearth
