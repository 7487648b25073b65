// Added tokens are found in text before anything else cuts it: the longest one at the leftmost place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model_store/tokenizers/byte_trie.h"
#include "model_store/tokenizers/text_range.h"

namespace hearth {

struct AddedToken {
  int32_t id = 0;
  std::string content;
  bool special = false;      // control tokens: hidden by decode
  bool normalized = false;   // looked for in normalised text
  bool lstrip = false;       // takes the blanks before it
  bool rstrip = false;       // and after it
  bool single_word = false;  // only where no letter or digit touches it
  bool in_both = false;      // added twice: looked for in raw text and in normalised text
};

// Is it more than text? Special tokens are, and so are marks that a file does not call special: "</think>",
// "<tool_call>", "[INST]", "/nothink". Added words, runs of blanks, operators and the tags of HTML are text.
bool is_control_mark(const AddedToken& token);
// Letters and digits only: a special token spelled so is a word that the model may make, too.
bool is_plain_word(std::string_view text);

// A part of a text: an added token, or (token == nullptr) text between them.
struct TextPart {
  std::string_view text;
  const AddedToken* token = nullptr;
};

// A set of tokens to look for. Linear in the text times the longest token at worst; a byte trie, so usually much less.
class AddedTokenFinder {
 public:
  void add(const AddedToken* token, std::string_view content);  // the token must outlive the finder
  bool has_mark(std::string_view text) const;
  // Appends the parts of `text` in order. Control marks are found outside the `typed` ranges only.
  void split(std::string_view text, std::span<const TextRange> typed, std::vector<TextPart>& out) const;

 private:
  const AddedToken* longest_at(std::string_view text, size_t at, size_t marks_end, size_t& n_bytes) const;

  ByteTrie trie_;  // ids are places in tokens_
  std::vector<const AddedToken*> tokens_;
  std::vector<bool> is_mark_;
};

}  // namespace hearth
