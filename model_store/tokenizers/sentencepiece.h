// A SentencePiece vocabulary, as GGUF files and tokenizer.model files have it: pieces with scores and kinds, and how
// text is brought into shape before. Made into a Tokenizer with the same parts that a tokenizer.json would have.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model_store/tokenizers/tokenizer_impl.h"

namespace hearth {

enum class PieceKind { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

struct SentencePieceVocabulary {
  bool is_unigram = false;  // else BPE
  std::vector<std::string> pieces;
  std::vector<float> scores;
  std::vector<PieceKind> kinds;
  std::string charsmap;                   // replacements of characters, as a blob; empty: none
  bool add_space_prefix = true;           // a blank before the text, so that its first word is like the others
  bool prefix_only_at_start = false;      // not after control tokens
  bool remove_extra_whitespaces = false;  // outer blanks, and all but one of inner ones
  bool byte_fallback = false;
};

// Fills pieces, normalizer, model and decoder. bos, eos and what is put around a text are the caller's.
Result<void> build_sentencepiece(SentencePieceVocabulary vocabulary, Tokenizer::Impl& out);

// Reads a tokenizer.model: the protobuf message ModelProto of sentencepiece_model.proto. Bounded by the file's size.
struct SentencePieceFile {
  SentencePieceVocabulary vocabulary;
  int64_t unk_id = 0, bos_id = 1, eos_id = 2, pad_id = -1;  // -1: none
};
Result<SentencePieceFile> read_sentencepiece_file(std::string_view bytes);

}  // namespace hearth
