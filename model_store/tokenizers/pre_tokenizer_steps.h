// The steps that pre-tokenizers are made of.
#pragma once

#include <string>

#include "model_store/tokenizers/pre_tokenizer.h"

namespace hearth {

// Cuts every piece at matches; `invert`: what does not match is the delimiter.
PreTokenizer::Step split_step(const Regex& pattern, SplitBehavior behavior, bool invert);
// Cuts at characters of a kind.
PreTokenizer::Step character_step(bool (*is_delimiter)(uint32_t), SplitBehavior behavior);
// Pieces of so many characters.
PreTokenizer::Step fixed_length_step(size_t n_characters);
// Puts a blank before every piece that has none.
PreTokenizer::Step prefix_space_step();
// Bytes as symbols, and back.
void pieces_to_symbols(CutText& text);
void pieces_to_bytes(CutText& text);

// SentencePiece's way with blanks: they become `replacement`, which is also put in front of the text.
struct MetaspaceOptions {
  enum class Prepend { always, first, never };
  std::string replacement = "\xE2\x96\x81";
  Prepend prepend = Prepend::always;  // first: only what begins the whole text
  bool split = true;                  // cut before every replacement
};
Result<PreTokenizer::Step> metaspace_step(MetaspaceOptions options);

}  // namespace hearth
