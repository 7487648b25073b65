// WordPiece (BERT): the longest piece at the beginning of a word, then the longest "##" piece, and so on; a word that
// cannot be made of pieces is unk as a whole. WordLevel is the same with whole words only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model_store/tokenizers/byte_trie.h"
#include "model_store/tokenizers/token_model.h"

namespace hearth {

struct WordPieceOptions {
  int32_t unk_id = -1;  // -1: such words are left out
  std::string continuing_prefix = "##";
  size_t max_word_characters = 100;  // longer words are unk
  bool whole_words = false;          // WordLevel
};

class WordPieceModel : public TokenModel {
 public:
  static constexpr size_t kMaxPieceBytes = 512;
  WordPieceModel(const std::vector<std::string>& piece_of, WordPieceOptions options);

  void encode(std::string_view word, EncodeWork& work, std::vector<int32_t>& out) const override;

  const WordPieceOptions& options() const { return options_; }

 private:
  bool encode_pieces(std::string_view word, EncodeWork& work, std::vector<int32_t>& out) const;

  ByteTrie trie_;
  WordPieceOptions options_;
  int32_t continuing_ = ByteTrie::kNone;  // where the prefix ends in the trie
};

}  // namespace hearth
