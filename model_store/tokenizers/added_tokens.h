// Added tokens are found in text before anything else cuts it: the longest one at the leftmost place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model_store/tokenizers/byte_trie.h"

namespace hearth {

struct AddedToken {
  int32_t id = 0;
  std::string content;
  bool special = false;      // control tokens: hidden by decode, not parsed from a user's text
  bool normalized = false;   // looked for in normalised text
  bool lstrip = false;       // takes the blanks before it
  bool rstrip = false;       // and after it
  bool single_word = false;  // only where no letter or digit touches it
};

// A part of a text: an added token, or (token == nullptr) text between them.
struct TextPart {
  std::string_view text;
  const AddedToken* token = nullptr;
};

// A set of tokens to look for. Linear in the text times the longest token at worst; a byte trie, so usually much less.
class AddedTokenFinder {
 public:
  void add(const AddedToken* token, std::string_view content);  // the token must outlive the finder
  // Appends the parts of `text` in order. Special tokens are left in the text unless wanted.
  void split(std::string_view text, bool parse_special, std::vector<TextPart>& out) const;

 private:
  const AddedToken* longest_at(std::string_view text, size_t at, bool parse_special, size_t& n_bytes) const;

  ByteTrie trie_;  // ids are places in tokens_
  std::vector<const AddedToken*> tokens_;
};

}  // namespace hearth
